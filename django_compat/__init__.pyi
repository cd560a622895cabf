import builtins
from collections.abc import Callable, Iterable
from concurrent import futures
from datetime import timezone
from types import TracebackType
from typing import Any, TypeVar, overload

from django.db import connections as connections
from django.dispatch import Signal
from typing_extensions import Final, ParamSpec, TypedDict, deprecated

__all__ = [
    "FORKED",
    "HUNG_UP",
    "IDLE",
    "INTERRUPTED",
    "RemovedInDjango110Warning",
    "RemovedInDjango18Warning",
    "RemovedInDjango19Warning",
    "RemovedInDjango2028Warning",
    "RemovedInDjango20Warning",
    "RemovedInDjango21Warning",
    "RemovedInDjango30Warning",
    "RemovedInDjango31Warning",
    "RemovedInDjango40Warning",
    "RemovedInDjango41Warning",
    "RemovedInDjango50Warning",
    "RemovedInDjango51Warning",
    "RemovedInDjango60Warning",
    "RemovedInDjango61Warning",
    "RemovedInDjango70Warning",
    "ThreadPoolExecutor",
    "UNUSABLE",
    "aclose_all_connections",
    "aclose_old_connections",
    "aclose_stale_connections",
    "close_all_connections",
    "close_connection",
    "close_old_connections",
    "close_stale_connections",
    "closing_connections",
    "connection_replaced",
    "connections",
    "discard_connections",
    "fresh_connections",
    "guard_connections",
    "is_disconnect",
    "retry_on_disconnect",
    "stats",
]

__version__: builtins.str

# An alias or several, None for all.
_Using = builtins.str | Iterable[builtins.str] | None
# The signature of a decorated function, and what a call returns: for ``async def`` a
# coroutine.
_P = ParamSpec("_P")
_R = TypeVar("_R")

connection_replaced: Signal

def close_old_connections(**kwargs: object) -> None: ...
@deprecated("Use close_all_connections, or close_old_connections.")
def close_connection(**kwargs: object) -> None: ...
def close_all_connections(using: _Using = None) -> None: ...
def discard_connections(using: _Using = None) -> None: ...

# The list has an alias and a reason for each connection that was closed.
def close_stale_connections(
    using: _Using = None,
) -> list[tuple[builtins.str, builtins.str]]: ...

class _Stats(TypedDict):
    opened: int
    reused: int
    closed: dict[builtins.str, int]
    replaced: int

def stats() -> dict[builtins.str, _Stats]: ...

FORKED: Final[builtins.str]
HUNG_UP: Final[builtins.str]
IDLE: Final[builtins.str]
INTERRUPTED: Final[builtins.str]
UNUSABLE: Final[builtins.str]

async def aclose_old_connections(**kwargs: object) -> None: ...
async def aclose_all_connections(using: _Using = None) -> None: ...
async def aclose_stale_connections(
    using: _Using = None,
) -> list[tuple[builtins.str, builtins.str]]: ...

class _Scope:
    def __enter__(self) -> _Scope: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
    async def __aenter__(self) -> _Scope: ...
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
    def __call__(self, function: Callable[_P, _R]) -> Callable[_P, _R]: ...

@overload
def fresh_connections(using: _Using = None) -> _Scope: ...
@overload
def fresh_connections(using: Callable[_P, _R]) -> Callable[_P, _R]: ...
@overload
def closing_connections(using: _Using = None) -> _Scope: ...
@overload
def closing_connections(using: Callable[_P, _R]) -> Callable[_P, _R]: ...

class ThreadPoolExecutor(futures.ThreadPoolExecutor): ...

class _Guard:
    def __enter__(self) -> _Guard: ...
    def __exit__(self, *exception: object) -> None: ...
    def undo(self) -> None: ...

def guard_connections() -> _Guard: ...
def is_disconnect(exception: BaseException | None) -> bool: ...

class _Retry:
    def __call__(self, function: Callable[_P, _R]) -> Callable[_P, _R]: ...

@overload
def retry_on_disconnect(
    attempts: int = 2,
    delay: float = 0,
    backoff: float = 2,
    using: _Using = None,
) -> _Retry: ...
@overload
def retry_on_disconnect(attempts: Callable[_P, _R]) -> Callable[_P, _R]: ...

# Django's own class, or ours: a DeprecationWarning if the release is the next one, else
# a PendingDeprecationWarning.
class RemovedInDjango18Warning(Warning): ...
class RemovedInDjango19Warning(Warning): ...
class RemovedInDjango110Warning(Warning): ...
class RemovedInDjango20Warning(Warning): ...
class RemovedInDjango21Warning(Warning): ...
class RemovedInDjango30Warning(Warning): ...
class RemovedInDjango31Warning(Warning): ...
class RemovedInDjango40Warning(Warning): ...
class RemovedInDjango41Warning(Warning): ...
class RemovedInDjango50Warning(Warning): ...
class RemovedInDjango51Warning(Warning): ...
class RemovedInDjango60Warning(Warning): ...
class RemovedInDjango61Warning(Warning): ...
class RemovedInDjango70Warning(Warning): ...
class RemovedInDjango2028Warning(Warning): ...

# Moved names: docs/moved-names.rst says what each is. .ci/stubs.py writes the lines
# below. Any is the type of what django-stubs does not have.
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME as ACTION_CHECKBOX_NAME
from django.forms.models import ALL_FIELDS as ALL_FIELDS
from django.core.handlers.asgi import ASGIHandler as ASGIHandler
from django.core.handlers.asgi import ASGIRequest as ASGIRequest
from django.contrib.auth.base_user import AbstractBaseUser as AbstractBaseUser
AbstractManagerDescriptor: Any
from django.contrib.auth.models import AbstractUser as AbstractUser
AdminMediaHandler: Any
from django.contrib.admin.exceptions import AlreadyRegistered as AlreadyRegistered
from django.core.management.base import AppCommand as AppCommand
from django.apps import AppConfig as AppConfig
from django.core.exceptions import AppRegistryNotReady as AppRegistryNotReady
from django.test.utils import Approximate as Approximate
from django.contrib.postgres.fields import ArrayField as ArrayField
from django.db.models.fields import BLANK_CHOICE_DASH as BLANK_CHOICE_DASH
from django.template.base import BLOCK_TAG_END as BLOCK_TAG_END
from django.template.base import BLOCK_TAG_START as BLOCK_TAG_START
from django.http import BadHeaderError as BadHeaderError
from django.utils.choices import BaseChoiceIterator as BaseChoiceIterator
from django.core.management.base import BaseCommand as BaseCommand
from django.template.context import BaseContext as BaseContext
from django.db.backends.base.client import BaseDatabaseClient as BaseDatabaseClient
from django.db.backends.base.creation import (
    BaseDatabaseCreation as BaseDatabaseCreation,
)
from django.db.backends.base.features import (
    BaseDatabaseFeatures as BaseDatabaseFeatures,
)
from django.db.backends.base.introspection import (
    BaseDatabaseIntrospection as BaseDatabaseIntrospection,
)
from django.db.backends.base.operations import (
    BaseDatabaseOperations as BaseDatabaseOperations,
)
from django.db.backends.base.schema import (
    BaseDatabaseSchemaEditor as BaseDatabaseSchemaEditor,
)
from django.db.backends.base.validation import (
    BaseDatabaseValidation as BaseDatabaseValidation,
)
from django.db.backends.base.base import BaseDatabaseWrapper as BaseDatabaseWrapper
from django.db.models.expressions import BaseExpression as BaseExpression
from django.contrib.contenttypes.forms import (
    BaseGenericInlineFormSet as BaseGenericInlineFormSet,
)
from django.contrib.gis.forms.widgets import BaseGeometryWidget as BaseGeometryWidget
from django.db.models.query import BaseIterable as BaseIterable
from django.template.loaders.base import Loader as BaseLoader
BaseSettings: Any
from django.contrib.gis.db.backends.base.operations import (
    BaseSpatialOperations as BaseSpatialOperations,
)
from django.contrib.auth.base_user import BaseUserManager as BaseUserManager
from django.db.models import BinaryField as BinaryField
from django.db.models import BitAnd as BitAnd
from django.db.models import BitOr as BitOr
from django.db.models import BitXor as BitXor
from django.forms.boundfield import BoundField as BoundField
from io import BytesIO as BytesIO
CHUNK_SIZE: Any
CLEANSED_SUBSTITUTE: builtins.str
from django.template.base import COMMENT_TAG_END as COMMENT_TAG_END
from django.template.base import COMMENT_TAG_START as COMMENT_TAG_START
CacheClass: Any
from django.core.cache import CacheHandler as CacheHandler
from django.utils.choices import CallableChoiceIterator as CallableChoiceIterator
from django.test.utils import CaptureQueriesContext as CaptureQueriesContext
from django.db.models import Case as Case
from django.utils.datastructures import CaseInsensitiveMapping as CaseInsensitiveMapping
from django.db.models.functions import Cast as Cast
from django.db.models.fields.mixins import (
    CheckFieldDefaultMixin as CheckFieldDefaultMixin,
)
from django.db.models.enums import Choices as Choices
from django.db.models.enums import ChoicesType as ChoicesMeta
from django.db.models.enums import ChoicesType as ChoicesType
from django.db.models.functions import Coalesce as Coalesce
from django.db.models.deletion import Collector as Collector
from django.db.models.expressions import Combinable as Combinable
from django.core.management.base import CommandError as CommandError
from django.http import SimpleCookie as CompatCookie
from django.core.management.base import AppCommand as CompatibilityAppCommand
from django.core.management.base import BaseCommand as CompatibilityBaseCommand
from django.core.management.base import LabelCommand as CompatibilityLabelCommand
from django.http import StreamingHttpResponse as CompatibleStreamingHttpResponse
from django.db.models.functions import Concat as Concat
from django.db.models.functions import ConcatPair as ConcatPair
from django.utils.connection import ConnectionDoesNotExist as ConnectionDoesNotExist
from django.utils.connection import ConnectionProxy as ConnectionProxy
ConstantIncludeNode: Any
Constraint: Any
from django.contrib.contenttypes.models import ContentType as ContentType
from django.template.context import Context as Context
from contextlib import ContextDecorator as ContextDecorator
from django.template.context import ContextPopException as ContextPopException
from django.db.backends.utils import CursorDebugWrapper as CursorDebugWrapper
from django.db.backends.utils import CursorWrapper as CursorWrapper
from django.db.utils import DEFAULT_DB_ALIAS as DEFAULT_DB_ALIAS
from django.core.cache.backends.base import DEFAULT_TIMEOUT as DEFAULT_TIMEOUT
from django.db.utils import DatabaseError as DatabaseError
from django.contrib.postgres.fields import DateRangeField as DateRangeField
from django.core.serializers.json import DjangoJSONEncoder as DateTimeAwareJSONEncoder
DateTimeQuerySet: Any
from django.contrib.postgres.fields import DateTimeRangeField as DateTimeRangeField
from django.db.models.functions import ExtractDay as DayTransform
from django.template.base import DebugLexer as DebugLexer
from django.contrib.postgres.fields import DecimalRangeField as DecimalRangeField
from django.core.validators import DecimalValidator as DecimalValidator
DefaultConnectionProxy: Any
from django.test.runner import DiscoverRunner as DiscoverRunner
from django.core.serializers.json import DjangoJSONEncoder as DjangoJSONEncoder
from django.test.runner import DiscoverRunner as DjangoTestSuiteRunner
from django.db.models import DurationField as DurationField
EMPTY_CHANGELIST_VALUE: Any
from django.core.validators import EMPTY_VALUES as EMPTY_VALUES
from django.core.validators import EmailValidator as EmailValidator
from django.core.exceptions import EmptyResultSet as EmptyResultSet
EmptyShortCircuit: Any
from django.template import Engine as Engine
from django.forms.utils import ErrorDict as ErrorDict
from django.forms.utils import ErrorList as ErrorList
EscapeData: Any
EverythingNode: Any
from django.db.models.lookups import Exact as Exact
from django.views.debug import ExceptionReporter as ExceptionReporter
from django.db.models.expressions import Exists as Exists
from django.db.models.expressions import Expression as Expression
ExpressionNode: Any
from django.db.models.expressions import ExpressionWrapper as ExpressionWrapper
from django.db.backends.ddl_references import Expressions as Expressions
from django.db.models.functions import ExtractDay as ExtractDay
from django.db.models.functions import ExtractHour as ExtractHour
from django.db.models.functions import ExtractMinute as ExtractMinute
from django.db.models.functions import ExtractMonth as ExtractMonth
from django.db.models.functions import ExtractSecond as ExtractSecond
from django.db.models.functions import ExtractWeekDay as ExtractWeekDay
from django.db.models.functions import ExtractYear as ExtractYear
from django.db.models.expressions import F as F
from django.template.base import FILTER_ARGUMENT_SEPARATOR as FILTER_ARGUMENT_SEPARATOR
from django.template.base import FILTER_SEPARATOR as FILTER_SEPARATOR
from django.core.exceptions import FieldDoesNotExist as FieldDoesNotExist
from django.core.exceptions import FieldError as FieldError
from django.db.backends.base.introspection import FieldInfo as FieldInfo
from django.template.base import FilterExpression as FilterExpression
FixedOffset: Any
from django.contrib.flatpages.sitemaps import FlatPageSitemap as FlatPageSitemap
from django.db.models.query import FlatValuesListIterable as FlatValuesListIterable
from django.contrib.postgres.fields import DecimalRangeField as FloatRangeField
from django.contrib.gis.db.models.functions import ForcePolygonCW as ForcePolygonCW
from django.contrib.gis.db.models.functions import ForcePolygonCW as ForceRHR
from django.db.models.fields.reverse_related import ForeignObjectRel as ForeignObjectRel
from django.db.models.fields.related import (
    ReverseManyToOneDescriptor as ForeignRelatedObjectsDescriptor,
)
from django.db.models.fields.related import (
    ForwardManyToOneDescriptor as ForwardManyToOneDescriptor,
)
from django.core.exceptions import FullResultSet as FullResultSet
from django.db.models.expressions import Func as Func
from django.contrib.gis.gdal.error import GDALException as GDALException
from django.contrib.contenttypes.fields import GenericForeignKey as GenericForeignKey
from django.contrib.contenttypes.admin import (
    GenericInlineModelAdmin as GenericInlineModelAdmin,
)
from django.contrib.contenttypes.fields import GenericRel as GenericRel
from django.contrib.contenttypes.fields import GenericRelation as GenericRelation
from django.contrib.contenttypes.admin import (
    GenericStackedInline as GenericStackedInline,
)
from django.contrib.contenttypes.admin import (
    GenericTabularInline as GenericTabularInline,
)
GeoConstraint: Any
GeoQuery: Any
GeoQuerySet: Any
GeoWhereNode: Any
from django.contrib.gis.db.models.proxy import SpatialProxy as GeometryProxy
from django.db.models.functions import Greatest as Greatest
HIDDEN_SETTINGS: Any
from django.contrib.postgres.fields import HStoreField as HStoreField
HTMLParseError: Any
from html.parser import HTMLParser as HTMLParser
from django.db.models.fields.json import HasKeyLookup as HasKeyLookup
from django.db.models.functions import ExtractHour as HourTransform
from django.http.response import HttpResponseBase as HttpResponseBase
from django.http.response import HttpResponseRedirectBase as HttpResponseRedirectBase
from django.contrib.admin.options import IS_POPUP_VAR as IS_POPUP_VAR
from django.utils.datastructures import ImmutableList as ImmutableList
from django.core.exceptions import ImproperlyConfigured as ImproperlyConfigured
from django.db.models.lookups import In as In
from django.contrib.postgres.fields import IntegerRangeField as IntegerRangeField
from django.db.utils import IntegrityError as IntegrityError
from django.db.utils import InterfaceError as InterfaceError
from django.core.cache.backends.base import (
    InvalidCacheBackendError as InvalidCacheBackendError,
)
from django.forms.fields import InvalidJSONInput as InvalidJSONInput
InvalidQuery: Any
from django.core.files.storage import InvalidStorageError as InvalidStorageError
from django.template.library import InvalidTemplateLibrary as InvalidTemplateLibrary
from django.middleware.csrf import InvalidTokenFormat as InvalidTokenFormat
from django.db.models.lookups import IsNull as IsNull
from json import JSONEncoder as JSONEncoder
from django.db.models import JSONField as JSONField
from django.contrib.sessions.serializers import JSONSerializer as JSONSerializer
from django.forms.fields import JSONString as JSONString
from django.views.i18n import JavaScriptCatalog as JavaScriptCatalog
from django.db.models.sql.datastructures import Join as Join
JsonAdapter: Any
from django.http import JsonResponse as JsonResponse
from django.db.models.fields.json import KeyTextTransform as KeyTextTransform
from django.db.models.fields.json import KeyTransform as KeyTransform
from django.db.models.fields.json import KeyTransformExact as KeyTransformExact
from django.db.models.fields.json import KeyTransformFactory as KeyTransformFactory
from django.db.models.fields.json import KeyTransformIn as KeyTransformIn
from django.db.models.fields.json import (
    KeyTransformTextLookupMixin as KeyTransformTextLookupMixin,
)
LANGUAGE_SESSION_KEY: Any
from django.db.models.constants import LOOKUP_SEP as LOOKUP_SEP
from django.core.management.base import LabelCommand as LabelCommand
LaxOptionParser: Any
from django.db.models.functions import Least as Least
from django.db.models.functions import Length as Length
from django.template.base import Lexer as Lexer
from django.template import Library as Library
from django.template.base import Origin as LoaderOrigin
LocaleRegexProvider: Any
LocaleRegexURLResolver: Any
from django.contrib.auth.views import LoginView as LoginView
from django.contrib.auth.views import LogoutView as LogoutView
from django.db.models.lookups import Lookup as Lookup
from django.db.models.functions import Lower as Lower
from django.db.models.query import MAX_GET_RESULTS as MAX_GET_RESULTS
from django.forms.formsets import MIN_NUM_FORM_COUNT as MIN_NUM_FORM_COUNT
from django.db.models.fields.related import (
    ManyToManyDescriptor as ManyRelatedObjectsDescriptor,
)
from django.db.models.fields.related import ManyToManyDescriptor as ManyToManyDescriptor
from django.db.models.fields.reverse_related import ManyToManyRel as ManyToManyRel
from django.db.models.fields.reverse_related import ManyToOneRel as ManyToOneRel
from django.core.validators import MaxLengthValidator as MaxLengthValidator
from django.core.validators import MaxValueValidator as MaxValueValidator
from django.forms.widgets import Media as Media
MergeDict: Any
from django.utils.deprecation import MiddlewareMixin as MiddlewareMixin
from django.core.exceptions import MiddlewareNotUsed as MiddlewareNotUsed
from django.db.migrations.executor import MigrationExecutor as MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder as MigrationRecorder
from django.db.migrations.writer import MigrationWriter as MigrationWriter
from django.core.validators import MinLengthValidator as MinLengthValidator
from django.core.validators import MinValueValidator as MinValueValidator
from django.db.models.functions import ExtractMinute as MinuteTransform
from django.db.models.query import ModelIterable as ModelIterable
from django.db.models.functions import ExtractMonth as MonthTransform
from django.http.multipartparser import MultiPartParser as MultiPartParser
from django.utils.datastructures import MultiValueDict as MultiValueDict
from django.core.exceptions import NON_FIELD_ERRORS as NON_FIELD_ERRORS
from django.db.backends.base.base import NO_DB_ALIAS as NO_DB_ALIAS
from django.contrib.admin.utils import NestedObjects as NestedObjects
NoArgsCommand: Any
from django.urls import NoReverseMatch as NoReverseMatch
from django.template.base import Node as Node
from django.template.base import NodeList as NodeList
from django.contrib.admin.exceptions import NotRegistered as NotRegistered
from django.contrib.admin.utils import NotRelationField as NotRelationField
from django.db.models.functions import Now as Now
from logging import NullHandler as NullHandler
from django.contrib.gis.gdal.error import GDALException as OGRException
from django.core.exceptions import ObjectDoesNotExist as ObjectDoesNotExist
from django.db.models.fields.reverse_related import OneToOneRel as OneToOneRel
from django.db.utils import OperationalError as OperationalError
from collections import OrderedDict as OrderedDict
from django.template.base import Origin as Origin
from django.db.models.expressions import OuterRef as OuterRef
from django.core.management.base import OutputWrapper as OutputWrapper
PY2: bool
PY3: bool
from django.core.paginator import Paginator as Paginator
from django.template.base import Parser as Parser
from django.db.models.query_utils import PathInfo as PathInfo
from django.core.exceptions import PermissionDenied as PermissionDenied
from django.contrib.auth.models import PermissionsMixin as PermissionsMixin
PickleSerializer: Any
PostGISCreation: Any
from django.db.utils import ProgrammingError as ProgrammingError
from django.core.validators import (
    ProhibitNullCharactersValidator as ProhibitNullCharactersValidator,
)
from django.utils.functional import Promise as Promise
ProxyParser: Any
from django.db.models.query_utils import Q as Q
QUERY_TERMS: Any
from django.db.models.query import QuerySet as QuerySet
from django.core.paginator import Paginator as QuerySetPaginator
from http.client import responses as REASON_PHRASES
from django.utils.http import RFC3986_SUBDELIMS as RFC3986_SUBDELIMS
from django.db.models.functions import Random as Random
from django.contrib.postgres.fields import RangeField as RangeField
from django.urls.resolvers import RegexPattern as RegexPattern
RegexURLPattern: Any
RegexURLResolver: Any
from django.db.models.query_utils import RegisterLookupMixin as RegisterLookupMixin
from django.db.models.fields.reverse_related import ForeignObjectRel as RelatedObject
RenameBaseModelAdminMethods: Any
from django.template.context import RequestContext as RequestContext
from django.contrib.sites.requests import RequestSite as RequestSite
from django.urls import Resolver404 as Resolver404
from django.urls import ResolverMatch as ResolverMatch
from django.contrib.contenttypes.fields import (
    ReverseGenericManyToOneDescriptor as ReverseGenericManyToOneDescriptor,
)
from django.contrib.contenttypes.fields import (
    ReverseGenericManyToOneDescriptor as ReverseGenericRelatedObjectsDescriptor,
)
from django.db.models.fields.related import (
    ManyToManyDescriptor as ReverseManyRelatedObjectsDescriptor,
)
from django.db.models.fields.related import (
    ReverseManyToOneDescriptor as ReverseManyToOneDescriptor,
)
from django.db.models.fields.related import (
    ReverseOneToOneDescriptor as ReverseOneToOneDescriptor,
)
from django.db.models.fields.related import (
    ForwardManyToOneDescriptor as ReverseSingleRelatedObjectDescriptor,
)
from django.contrib.admin.widgets import SELECT2_TRANSLATIONS as SELECT2_TRANSLATIONS
from django.template.base import SINGLE_BRACE_END as SINGLE_BRACE_END
from django.template.base import SINGLE_BRACE_START as SINGLE_BRACE_START
SQLEvaluator: Any
from http.client import responses as STATUS_CODE_TEXT
SafeBytes: Any
from django.utils.safestring import SafeData as SafeData
from django.core.mail.message import SafeMIMEMultipart as SafeMIMEMultipart
from django.core.mail.message import SafeMIMEText as SafeMIMEText
from django.utils.safestring import SafeString as SafeString
from django.utils.safestring import SafeText as SafeText
from django.utils.safestring import SafeString as SafeUnicode
from django.db.models.functions import ExtractSecond as SecondTransform
from django.forms.widgets import SelectDateWidget as SelectDateWidget
SessionStorage: Any
SessionWizardView: Any
from django.http import SimpleCookie as SimpleCookie
from django.utils.functional import SimpleLazyObject as SimpleLazyObject
from django.db.models.fields.related import (
    ReverseOneToOneDescriptor as SingleRelatedObjectDescriptor,
)
from django.contrib.sites.models import Site as Site
SiteProfileNotAvailable: Any
from unittest import SkipTest as SkipTest
SortedDict: Any
from django.contrib.gis.db.models.proxy import SpatialProxy as SpatialProxy
from django.contrib.gis.db.backends.base.models import (
    SpatialRefSysMixin as SpatialRefSysMixin,
)
StaticFilesNode: Any
from django.contrib.staticfiles.testing import (
    StaticLiveServerTestCase as StaticLiveServerTestCase,
)
from django.templatetags.static import StaticNode as StaticNode
StoppableWSGIServer: Any
StrAndUnicode: Any
from django.db.models.functions import StrIndex as StrIndex
from django.http import StreamingHttpResponse as StreamingHttpResponse
from django.db.models import StringAgg as StringAgg
from io import StringIO as StringIO
SubfieldBase: Any
from django.db.models.expressions import Subquery as Subquery
SubqueryConstraint: Any
from django.db.models.functions import Substr as Substr
Support_ValuesListQuerySet: bool
Support_ValuesQuerySet: bool
from django.core.exceptions import SuspiciousOperation as SuspiciousOperation
from django.db.backends.base.creation import (
    TEST_DATABASE_PREFIX as TEST_DATABASE_PREFIX,
)
TOKEN_BLOCK: Any
TOKEN_COMMENT: Any
TOKEN_TEXT: Any
TOKEN_VAR: Any
from django.contrib.admin.options import TO_FIELD_VAR as TO_FIELD_VAR
from django.utils.translation.template import (
    TRANSLATOR_COMMENT_MARK as TRANSLATOR_COMMENT_MARK,
)
from django.db.backends.base.introspection import TableInfo as TableInfo
from django.template.library import TagHelperNode as TagHelperNode
from django.template.base import Template as Template
from django.template import TemplateDoesNotExist as TemplateDoesNotExist
from django.template import TemplateSyntaxError as TemplateSyntaxError
from unittest import TestSuite as TestSuite
from django.template.base import TextNode as TextNode
from django.template.base import Token as Token
TokenParser: Any
from django.template.base import TokenType as TokenType
Transaction: Any
from django.db.transaction import (
    TransactionManagementError as TransactionManagementError,
)
from django.contrib.postgres.functions import TransactionNow as TransactionNow
from django.db.models.lookups import Transform as Transform
from django.template.base import UNKNOWN_SOURCE as UNKNOWN_SOURCE
UNUSABLE_PASSWORD: Any
from django.urls import URLPattern as URLPattern
from django.urls import URLResolver as URLResolver
from django.core.validators import URLValidator as URLValidator
from django.db.models import UUIDField as UUIDField
UnavailableApp: Any
from django.db.models import UniqueConstraint as UniqueConstraint
from django.db.models.functions import Upper as Upper
from django.contrib.auth.models import User as User
from django.contrib.sessions.backends.base import VALID_KEY_CHARS as VALID_KEY_CHARS
from django.template.base import (
    VARIABLE_ATTRIBUTE_SEPARATOR as VARIABLE_ATTRIBUTE_SEPARATOR,
)
from django.template.base import VARIABLE_TAG_END as VARIABLE_TAG_END
from django.template.base import VARIABLE_TAG_START as VARIABLE_TAG_START
from django.contrib.gis.gdal.raster.const import (
    VSI_MEM_FILESYSTEM_BASE_PATH as VSI_FILESYSTEM_BASE_PATH,
)
from django.contrib.gis.gdal.raster.const import (
    VSI_MEM_FILESYSTEM_BASE_PATH as VSI_MEM_FILESYSTEM_BASE_PATH,
)
from django.core.exceptions import ValidationError as ValidationError
from django.db.models.expressions import Value as Value
from django.db.models.query import ValuesIterable as ValuesIterable
from django.db.models.query import ValuesListIterable as ValuesListIterable
ValuesListQuerySet: Any
ValuesQuerySet: Any
from django.template.base import Variable as Variable
from django.template.base import VariableDoesNotExist as VariableDoesNotExist
from django.template.base import VariableNode as VariableNode
from django.views.generic import View as View
WEAKREF_TYPES: Any
from django.contrib.gis.db.backends.base.adapter import WKTAdapter as WKTAdapter
from socket import error as WSGIServerException
from django.db.models.functions import ExtractWeekDay as WeekDayTransform
from django.db.models import When as When
from django.db.models.sql.where import WhereNode as WhereNode
from django.contrib.admindocs.middleware import XViewMiddleware as XViewMiddleware
from django.db.models.functions import ExtractYear as YearTransform
absolute_http_url_re: Any
from os.path import abspath as abspathu
add_lazy_relation: Any
from six import add_metaclass as add_metaclass
from django.contrib.gis.utils.srs import add_srs_entry as add_postgis_srs
from django.contrib.admin.templatetags.admin_urls import (
    add_preserved_filters as add_preserved_filters,
)
from django.contrib.gis.utils.srs import add_srs_entry as add_srs_entry
add_to_builtins: Any
from django.contrib.admin import utils as admin_utils
allow_lazy: Any
from django.apps import apps as apps
from django.utils.asyncio import async_unsafe as async_unsafe
from django.db.transaction import atomic as atomic
from django.utils.module_loading import autodiscover_modules as autodiscover_modules
available_attrs: Any
from django.utils.http import base36_to_int as base36_to_int
from builtins import str as basestring
from builtins import bytes as binary_type
build_request_repr: Any
from django.utils.functional import cached_property as cached_property
from django.core.cache import caches as caches
from django.core.management import call_command as call_command
from django.utils.text import camel_case_to_spaces as camel_case_to_spaces
from django.utils.text import capfirst as capfirst
cc_delim_re: Any
from django.contrib.auth.hashers import check_password as check_password
from six import class_types as class_types
from django.utils.functional import classproperty as classproperty
clean_manytomany_helptext: Any
cleanse_setting: Any
from django.urls import clear_script_prefix as clear_script_prefix
from django.urls import clear_url_caches as clear_url_caches
commit: Any
from django.db.transaction import atomic as commit_on_success
compile_json_path: Any
from django.test.client import (
    conditional_content_removal as conditional_content_removal,
)
from django.utils.html import conditional_escape as conditional_escape
from django.db.backends.signals import connection_created as connection_created
from django.utils.crypto import constant_time_compare as constant_time_compare
from django.template import context_processors as context_processors
cookie_date: Any
from django.contrib.contenttypes.management import (
    create_contenttypes as create_contenttypes,
)
from django.db.models.fields.related_descriptors import (
    create_forward_many_to_many_manager as create_forward_many_to_many_manager,
)
create_many_related_manager: Any
create_permissions: Any
from django.template.context_processors import csrf as csrf
from django.views.decorators.csrf import csrf_exempt as csrf_exempt
from django.views.decorators.csrf import csrf_exempt as csrf_view_exempt
curry: Any
datetime_safe: Any
from django.test.runner import get_max_test_processes as default_test_processes
deferred_class_factory: Any
from django.test.utils import dependency_ordered as dependency_ordered
from logging.config import dictConfig as dictConfig
from django.contrib.admin.utils import display_for_field as display_for_field
from django.contrib.admin.utils import display_for_value as display_for_value
import django as django
from django.templatetags.static import do_static as do_static
from django.utils.duration import duration_string as duration_string
email_re: Any
from django.template import engines as engines
from django.utils.html import escape as escape
from django.utils.html import escapejs as escapejs
execute_manager: Any
from unittest import expectedFailure as expectedFailure
from django.forms.models import fields_for_model as fields_for_model
from django.utils.encoding import filepath_to_uri as filepath_to_uri
find_template: Any
find_template_loader: Any
fix_ampersands: Any
from django.forms.utils import flatatt as flatatt
from django.contrib.admin.utils import flatten_fieldsets as flatten_fieldsets
from django.utils.encoding import force_bytes as force_bytes
from django.utils.encoding import force_str as force_str
from django.utils.encoding import force_str as force_text
from django.utils.encoding import force_str as force_unicode
from django.utils.html import format_html as format_html
from django.utils.html import format_html_join as format_html_join
from django.utils.text import format_lazy as format_lazy
from django.db.backends.utils import format_number as format_number
from django.forms.utils import from_current_timezone as from_current_timezone
gen_filenames: Any
from django.contrib.contenttypes.forms import (
    generic_inlineformset_factory as generic_inlineformset_factory,
)
generic_tag_compiler: Any
from logging import getLogger as getLogger
get_app: Any
get_app_paths: Any
from django.template.utils import get_app_template_dirs as get_app_template_dirs
get_apps: Any
from django.db.transaction import get_autocommit as get_autocommit
get_cache: Any
from django.urls import get_callable as get_callable
from django.utils.version import get_complete_version as get_complete_version
from django.contrib.sites.shortcuts import get_current_site as get_current_site
get_declared_fields: Any
from django.views.debug import (
    get_default_exception_reporter_filter as get_default_exception_reporter_filter,
)
from django.contrib.admin.utils import get_deleted_objects as get_deleted_objects
from django.contrib.admin.utils import get_fields_from_path as get_fields_from_path
from django.utils.formats import get_format as get_format
from django.utils.version import get_git_changeset as get_git_changeset
from threading import get_ident as get_ident
from django.template.backends.django import (
    get_installed_libraries as get_installed_libraries,
)
from django.utils.translation import get_language as get_language
get_library: Any
from django.test.runner import get_max_test_processes as get_max_test_processes
from django.urls import get_mod_func as get_mod_func
get_model: Any
from django.contrib.admin.utils import (
    get_model_from_relation as get_model_from_relation,
)
get_model_name: Any
get_models: Any
from django.urls import get_ns_resolver as get_ns_resolver
from django.shortcuts import get_object_or_404 as get_object_or_404
from django.core.handlers.wsgi import get_path_info as get_path_info
from django.contrib.auth import get_permission_codename as get_permission_codename
from django.core.management.utils import get_random_secret_key as get_random_secret_key
from django.utils.crypto import get_random_string as get_random_string
from django.utils.autoreload import get_reloader as get_reloader
from django.urls import get_resolver as get_resolver
get_safe_settings: Any
from django.core.handlers.wsgi import get_script_name as get_script_name
from django.urls import get_script_prefix as get_script_prefix
get_standard_processors: Any
get_storage_class: Any
from django.template.base import Template as get_template_from_string
get_template_loaders: Any
from django.utils.text import get_text_list as get_text_list
from django.test.utils import (
    get_unique_databases_and_mirrors as get_unique_databases_and_mirrors,
)
from django.urls import get_urlconf as get_urlconf
from django.contrib.auth import get_user_model as get_user_model
get_user_model_path: Any
get_user_permission_codename: Any
get_user_permission_full_codename: Any
get_username_field: Any
from django.utils.text import camel_case_to_spaces as get_verbose_name
from django import get_version as get_version
get_warnings_state: Any
getargspec: Any
from django.utils.translation import gettext as gettext
from django.utils.translation import gettext_lazy as gettext_lazy
from django.utils.translation import gettext_noop as gettext_noop
gis_lookups: Any
from django.conf.urls import handler400 as handler400
from django.conf.urls import handler403 as handler403
from django.conf.urls import handler404 as handler404
from django.conf.urls import handler500 as handler500
from django.contrib.admin.utils import help_text_for_field as help_text_for_field
from django.contrib.gis.geometry import hex_regex as hex_regex
from django.http.request import host_validation_re as host_validation_re
from django.utils.http import http_date as http_date
from django.contrib.auth.hashers import identify_hasher as identify_hasher
import_by_path: Any
from django.template.library import import_library as import_library
from importlib import import_module as import_module
from django.utils.module_loading import import_string as import_string
import importlib as importlib
from django.urls import include as include
from django.utils.http import int_to_base36 as int_to_base36
from six import integer_types as integer_types
from django.core.validators import ip_address_validators as ip_address_validators
from django.utils.encoding import iri_to_uri as iri_to_uri
from django.utils.timezone import is_aware as is_aware
is_iterable: Any
is_iterator: Any
from django.contrib.auth.hashers import is_password_usable as is_password_usable
is_safe_url: Any
from django.urls import is_valid_path as is_valid_path
from six import iteritems as iteritems
from six import iterkeys as iterkeys
from six import itervalues as itervalues
javascript_catalog: Any
javascript_quote: Any
from django.contrib.gis.geometry import json_regex as json_regex
from django.utils.functional import keep_lazy as keep_lazy
from django.utils.functional import keep_lazy_text as keep_lazy_text
from django.template.base import kwarg_re as kwarg_re
from django.contrib.admin.utils import label_for_field as label_for_field
from django.utils.functional import lazy as lazy
from django.template.base import linebreak_iter as linebreak_iter
from django.db.utils import load_backend as load_backend
loading: Any
from django.utils.formats import localize as localize
from django.utils.timezone import localtime as localtime
from django.contrib.auth.decorators import login_not_required as login_not_required
from django.contrib.admin.utils import lookup_field as lookup_field
from django.contrib.admin.utils import lookup_spawns_duplicates as lookup_needs_distinct
from django.contrib.admin.utils import (
    lookup_spawns_duplicates as lookup_spawns_duplicates,
)
from django.utils import lorem_ipsum as lorem_ipsum
from functools import lru_cache as lru_cache
from optparse import make_option as make_option
from django.contrib.auth.hashers import make_password as make_password
from django.core.cache.utils import (
    make_template_fragment_key as make_template_fragment_key,
)
mark_for_escaping: Any
from django.utils.safestring import mark_safe as mark_safe
from hashlib import md5 as md5_constructor
memoize: Any
from django.db import migrations as migrations
from unittest import mock as mock
from django.contrib.admin.utils import model_format_dict as model_format_dict
from django.contrib.admin.utils import model_ngettext as model_ngettext
from django.forms.models import modelformset_factory as modelformset_factory
from django.test.utils import modify_settings as modify_settings
from django.utils.module_loading import module_has_submodule as module_has_submodule
from django.utils.translation import ngettext as ngettext
from django.utils.translation import ngettext_lazy as ngettext_lazy
from django.utils.choices import normalize_choices as normalize_choices
npath: Any
from django.db.transaction import on_commit as on_commit
from django.test.utils import override_settings as override_settings
from django.test.utils import override_system_checks as override_system_checks
parse_backend_uri: Any
from django.template.library import parse_bits as parse_bits
from django.utils.dateparse import parse_date as parse_date
from django.utils.dateparse import parse_datetime as parse_datetime
from django.utils.dateparse import parse_duration as parse_duration
from django.utils.http import parse_etags as parse_etags
parse_header: Any
from django.utils.http import parse_http_date_safe as parse_http_date_safe
from urllib.parse import parse_qs as parse_qs
from django.contrib.auth.password_validation import (
    password_validators_help_text_html as password_validators_help_text_html,
)
patch_logger: Any
from django.urls import path as path
patterns: Any
permalink: Any
populate_xheaders: Any
from django.db.models.signals import post_migrate as post_migrate
from django.db.models.signals import post_migrate as post_syncdb
from django.db.models.signals import pre_migrate as pre_migrate
from django.db.models.signals import pre_migrate as pre_syncdb
from django.contrib.admin.utils import prepare_lookup_value as prepare_lookup_value
from django.forms.utils import pretty_name as pretty_name
from itertools import product as product
from six import python_2_unicode_compatible as python_2_unicode_compatible
from django.contrib.admin.utils import quote as quote
from django.urls import re_path as re_path
from django.contrib.auth.views import redirect_to_login as redirect_to_login
from django.urls import register_converter as register_converter
remove_tags: Any
from django.shortcuts import render as render
render_to_response: Any
from django.template.loader import render_to_string as render_to_string
reorder_suite: Any
from six import reraise as reraise
from django.urls import resolve as resolve
from django.shortcuts import resolve_url as resolve_url
resolve_variable: Any
restore_warnings_state: Any
rev_typecast_decimal: Any
from django.urls import reverse as reverse
from django.contrib.admin.utils import reverse_field_path as reverse_field_path
from django.urls import reverse_lazy as reverse_lazy
rollback: Any
from django.utils.autoreload import run_with_reloader as run_with_reloader
from django.utils._os import safe_join as safe_join
from django.utils.crypto import salted_hmac as salted_hmac
same_origin: Any
save_instance: Any
from django.db.transaction import set_autocommit as set_autocommit
from django.db.transaction import set_rollback as set_rollback
from django.urls import set_script_prefix as set_script_prefix
from django.urls import set_urlconf as set_urlconf
from django.core.signals import setting_changed as setting_changed
from django.conf import settings as settings
from django import setup as setup
from django.test.utils import setup_databases as setup_databases
setup_environ: Any
from hashlib import sha1 as sha_constructor
from django.contrib.contenttypes.views import shortcut as shortcut
simple_class_factory: Any
import json as simplejson
import six as six
from unittest import skip as skip
from unittest import skipIf as skipIf
from unittest import skipUnless as skipUnless
from django.utils.text import slugify as slugify
from django.utils.encoding import smart_bytes as smart_bytes
from django.utils.encoding import smart_str as smart_str
from django.utils.encoding import smart_str as smart_text
from django.utils.encoding import smart_str as smart_unicode
from django.templatetags.static import static as static
from django.core.files.storage import storages as storages
from builtins import str as str
string_concat: Any
from six import string_types as string_types
from django.db.backends.utils import strip_quotes as strip_quotes
import sys as sys
from django.template.base import tag_re as tag_re
template_localtime: Any
from django.utils.translation import templatize as templatize
from builtins import str as text_type
from django.forms.utils import to_current_timezone as to_current_timezone
from django.utils.translation import to_language as to_language
from django.utils.translation import to_locale as to_locale
from functools import total_ordering as total_ordering
from django.urls import translate_url as translate_url
from inspect import cleandoc as trim_docstring
truncate_html_words: Any
from django.db.backends.utils import truncate_name as truncate_name
truncate_words: Any
from django.db.backends.utils import typecast_date as typecast_date
typecast_decimal: Any
from django.db.backends.utils import typecast_time as typecast_time
from django.db.backends.utils import typecast_timestamp as typecast_timestamp
from django.utils.translation import gettext as ugettext
from django.utils.translation import gettext_lazy as ugettext_lazy
from django.utils.translation import gettext_noop as ugettext_noop
from html import unescape as unescape_entities
from django.utils.text import unescape_string_literal as unescape_string_literal
from django.utils.translation import ngettext as ungettext
from django.utils.translation import ngettext_lazy as ungettext_lazy
from builtins import str as unicode
import unittest as unittest
from django.contrib.admin.utils import unquote as unquote
unquote_etag: Any
from urllib.parse import unquote_plus as unquote_plus
upath: Any
from django.contrib.contenttypes.management import (
    create_contenttypes as update_contenttypes,
)
from django.contrib.auth import update_session_auth_hash as update_session_auth_hash
from functools import update_wrapper as update_wrapper
url: Any
from django.utils.http import (
    url_has_allowed_host_and_scheme as url_has_allowed_host_and_scheme,
)
from urllib.parse import urlencode as urlencode
from urllib.parse import urlparse as urlparse
urlquote: Any
urlquote_plus: Any
from django import urls as urlresolvers
from django.utils.http import urlsafe_base64_decode as urlsafe_base64_decode
from django.utils.http import urlsafe_base64_encode as urlsafe_base64_encode
from urllib.parse import urlunparse as urlunparse
urlunquote: Any
urlunquote_plus: Any
user_model_label: builtins.str
utc: timezone
from django.http.request import validate_host as validate_host
from django.contrib.auth.password_validation import (
    validate_password as validate_password,
)
from django.template.defaulttags import verbatim as verbatim
from six import with_metaclass as with_metaclass
from django.contrib.gis.geometry import wkt_regex as wkt_regex

__all__ += [
    "ACTION_CHECKBOX_NAME", "ALL_FIELDS", "ASGIHandler", "ASGIRequest",
    "AbstractBaseUser", "AbstractManagerDescriptor", "AbstractUser",
    "AdminMediaHandler", "AlreadyRegistered", "AppCommand", "AppConfig",
    "AppRegistryNotReady", "Approximate", "ArrayField", "BLANK_CHOICE_DASH",
    "BLOCK_TAG_END", "BLOCK_TAG_START", "BadHeaderError", "BaseChoiceIterator",
    "BaseCommand", "BaseContext", "BaseDatabaseClient", "BaseDatabaseCreation",
    "BaseDatabaseFeatures", "BaseDatabaseIntrospection", "BaseDatabaseOperations",
    "BaseDatabaseSchemaEditor", "BaseDatabaseValidation", "BaseDatabaseWrapper",
    "BaseExpression", "BaseGenericInlineFormSet", "BaseGeometryWidget", "BaseIterable",
    "BaseLoader", "BaseSettings", "BaseSpatialOperations", "BaseUserManager",
    "BinaryField", "BitAnd", "BitOr", "BitXor", "BoundField", "BytesIO", "CHUNK_SIZE",
    "CLEANSED_SUBSTITUTE", "COMMENT_TAG_END", "COMMENT_TAG_START", "CacheClass",
    "CacheHandler", "CallableChoiceIterator", "CaptureQueriesContext", "Case",
    "CaseInsensitiveMapping", "Cast", "CheckFieldDefaultMixin", "Choices",
    "ChoicesMeta", "ChoicesType", "Coalesce", "Collector", "Combinable", "CommandError",
    "CompatCookie", "CompatibilityAppCommand", "CompatibilityBaseCommand",
    "CompatibilityLabelCommand", "CompatibleStreamingHttpResponse", "Concat",
    "ConcatPair", "ConnectionDoesNotExist", "ConnectionProxy", "ConstantIncludeNode",
    "Constraint", "ContentType", "Context", "ContextDecorator", "ContextPopException",
    "CursorDebugWrapper", "CursorWrapper", "DEFAULT_DB_ALIAS", "DEFAULT_TIMEOUT",
    "DatabaseError", "DateRangeField", "DateTimeAwareJSONEncoder", "DateTimeQuerySet",
    "DateTimeRangeField", "DayTransform", "DebugLexer", "DecimalRangeField",
    "DecimalValidator", "DefaultConnectionProxy", "DiscoverRunner", "DjangoJSONEncoder",
    "DjangoTestSuiteRunner", "DurationField", "EMPTY_CHANGELIST_VALUE", "EMPTY_VALUES",
    "EmailValidator", "EmptyResultSet", "EmptyShortCircuit", "Engine", "ErrorDict",
    "ErrorList", "EscapeData", "EverythingNode", "Exact", "ExceptionReporter", "Exists",
    "Expression", "ExpressionNode", "ExpressionWrapper", "Expressions", "ExtractDay",
    "ExtractHour", "ExtractMinute", "ExtractMonth", "ExtractSecond", "ExtractWeekDay",
    "ExtractYear", "F", "FILTER_ARGUMENT_SEPARATOR", "FILTER_SEPARATOR",
    "FieldDoesNotExist", "FieldError", "FieldInfo", "FilterExpression", "FixedOffset",
    "FlatPageSitemap", "FlatValuesListIterable", "FloatRangeField", "ForcePolygonCW",
    "ForceRHR", "ForeignObjectRel", "ForeignRelatedObjectsDescriptor",
    "ForwardManyToOneDescriptor", "FullResultSet", "Func", "GDALException",
    "GenericForeignKey", "GenericInlineModelAdmin", "GenericRel", "GenericRelation",
    "GenericStackedInline", "GenericTabularInline", "GeoConstraint", "GeoQuery",
    "GeoQuerySet", "GeoWhereNode", "GeometryProxy", "Greatest", "HIDDEN_SETTINGS",
    "HStoreField", "HTMLParseError", "HTMLParser", "HasKeyLookup", "HourTransform",
    "HttpResponseBase", "HttpResponseRedirectBase", "IS_POPUP_VAR", "ImmutableList",
    "ImproperlyConfigured", "In", "IntegerRangeField", "IntegrityError",
    "InterfaceError", "InvalidCacheBackendError", "InvalidJSONInput", "InvalidQuery",
    "InvalidStorageError", "InvalidTemplateLibrary", "InvalidTokenFormat", "IsNull",
    "JSONEncoder", "JSONField", "JSONSerializer", "JSONString", "JavaScriptCatalog",
    "Join", "JsonAdapter", "JsonResponse", "KeyTextTransform", "KeyTransform",
    "KeyTransformExact", "KeyTransformFactory", "KeyTransformIn",
    "KeyTransformTextLookupMixin", "LANGUAGE_SESSION_KEY", "LOOKUP_SEP", "LabelCommand",
    "LaxOptionParser", "Least", "Length", "Lexer", "Library", "LoaderOrigin",
    "LocaleRegexProvider", "LocaleRegexURLResolver", "LoginView", "LogoutView",
    "Lookup", "Lower", "MAX_GET_RESULTS", "MIN_NUM_FORM_COUNT",
    "ManyRelatedObjectsDescriptor", "ManyToManyDescriptor", "ManyToManyRel",
    "ManyToOneRel", "MaxLengthValidator", "MaxValueValidator", "Media", "MergeDict",
    "MiddlewareMixin", "MiddlewareNotUsed", "MigrationExecutor", "MigrationRecorder",
    "MigrationWriter", "MinLengthValidator", "MinValueValidator", "MinuteTransform",
    "ModelIterable", "MonthTransform", "MultiPartParser", "MultiValueDict",
    "NON_FIELD_ERRORS", "NO_DB_ALIAS", "NestedObjects", "NoArgsCommand",
    "NoReverseMatch", "Node", "NodeList", "NotRegistered", "NotRelationField", "Now",
    "NullHandler", "OGRException", "ObjectDoesNotExist", "OneToOneRel",
    "OperationalError", "OrderedDict", "Origin", "OuterRef", "OutputWrapper", "PY2",
    "PY3", "Paginator", "Parser", "PathInfo", "PermissionDenied", "PermissionsMixin",
    "PickleSerializer", "PostGISCreation", "ProgrammingError",
    "ProhibitNullCharactersValidator", "Promise", "ProxyParser", "Q", "QUERY_TERMS",
    "QuerySet", "QuerySetPaginator", "REASON_PHRASES", "RFC3986_SUBDELIMS", "Random",
    "RangeField", "RegexPattern", "RegexURLPattern", "RegexURLResolver",
    "RegisterLookupMixin", "RelatedObject", "RenameBaseModelAdminMethods",
    "RequestContext", "RequestSite", "Resolver404", "ResolverMatch",
    "ReverseGenericManyToOneDescriptor", "ReverseGenericRelatedObjectsDescriptor",
    "ReverseManyRelatedObjectsDescriptor", "ReverseManyToOneDescriptor",
    "ReverseOneToOneDescriptor", "ReverseSingleRelatedObjectDescriptor",
    "SELECT2_TRANSLATIONS", "SINGLE_BRACE_END", "SINGLE_BRACE_START", "SQLEvaluator",
    "STATUS_CODE_TEXT", "SafeBytes", "SafeData", "SafeMIMEMultipart", "SafeMIMEText",
    "SafeString", "SafeText", "SafeUnicode", "SecondTransform", "SelectDateWidget",
    "SessionStorage", "SessionWizardView", "SimpleCookie", "SimpleLazyObject",
    "SingleRelatedObjectDescriptor", "Site", "SiteProfileNotAvailable", "SkipTest",
    "SortedDict", "SpatialProxy", "SpatialRefSysMixin", "StaticFilesNode",
    "StaticLiveServerTestCase", "StaticNode", "StoppableWSGIServer", "StrAndUnicode",
    "StrIndex", "StreamingHttpResponse", "StringAgg", "StringIO", "SubfieldBase",
    "Subquery", "SubqueryConstraint", "Substr", "Support_ValuesListQuerySet",
    "Support_ValuesQuerySet", "SuspiciousOperation", "TEST_DATABASE_PREFIX",
    "TOKEN_BLOCK", "TOKEN_COMMENT", "TOKEN_TEXT", "TOKEN_VAR", "TO_FIELD_VAR",
    "TRANSLATOR_COMMENT_MARK", "TableInfo", "TagHelperNode", "Template",
    "TemplateDoesNotExist", "TemplateSyntaxError", "TestSuite", "TextNode", "Token",
    "TokenParser", "TokenType", "Transaction", "TransactionManagementError",
    "TransactionNow", "Transform", "UNKNOWN_SOURCE", "UNUSABLE_PASSWORD", "URLPattern",
    "URLResolver", "URLValidator", "UUIDField", "UnavailableApp", "UniqueConstraint",
    "Upper", "User", "VALID_KEY_CHARS", "VARIABLE_ATTRIBUTE_SEPARATOR",
    "VARIABLE_TAG_END", "VARIABLE_TAG_START", "VSI_FILESYSTEM_BASE_PATH",
    "VSI_MEM_FILESYSTEM_BASE_PATH", "ValidationError", "Value", "ValuesIterable",
    "ValuesListIterable", "ValuesListQuerySet", "ValuesQuerySet", "Variable",
    "VariableDoesNotExist", "VariableNode", "View", "WEAKREF_TYPES", "WKTAdapter",
    "WSGIServerException", "WeekDayTransform", "When", "WhereNode", "XViewMiddleware",
    "YearTransform", "absolute_http_url_re", "abspathu", "add_lazy_relation",
    "add_metaclass", "add_postgis_srs", "add_preserved_filters", "add_srs_entry",
    "add_to_builtins", "admin_utils", "allow_lazy", "apps", "async_unsafe", "atomic",
    "autodiscover_modules", "available_attrs", "base36_to_int", "basestring",
    "binary_type", "build_request_repr", "cached_property", "caches", "call_command",
    "camel_case_to_spaces", "capfirst", "cc_delim_re", "check_password", "class_types",
    "classproperty", "clean_manytomany_helptext", "cleanse_setting",
    "clear_script_prefix", "clear_url_caches", "commit", "commit_on_success",
    "compile_json_path", "conditional_content_removal", "conditional_escape",
    "connection_created", "constant_time_compare", "context_processors", "cookie_date",
    "create_contenttypes", "create_forward_many_to_many_manager",
    "create_many_related_manager", "create_permissions", "csrf", "csrf_exempt",
    "csrf_view_exempt", "curry", "datetime_safe", "default_test_processes",
    "deferred_class_factory", "dependency_ordered", "dictConfig", "display_for_field",
    "display_for_value", "django", "do_static", "duration_string", "email_re",
    "engines", "escape", "escapejs", "execute_manager", "expectedFailure",
    "fields_for_model", "filepath_to_uri", "find_template", "find_template_loader",
    "fix_ampersands", "flatatt", "flatten_fieldsets", "force_bytes", "force_str",
    "force_text", "force_unicode", "format_html", "format_html_join", "format_lazy",
    "format_number", "from_current_timezone", "gen_filenames",
    "generic_inlineformset_factory", "generic_tag_compiler", "getLogger", "get_app",
    "get_app_paths", "get_app_template_dirs", "get_apps", "get_autocommit", "get_cache",
    "get_callable", "get_complete_version", "get_current_site", "get_declared_fields",
    "get_default_exception_reporter_filter", "get_deleted_objects",
    "get_fields_from_path", "get_format", "get_git_changeset", "get_ident",
    "get_installed_libraries", "get_language", "get_library", "get_max_test_processes",
    "get_mod_func", "get_model", "get_model_from_relation", "get_model_name",
    "get_models", "get_ns_resolver", "get_object_or_404", "get_path_info",
    "get_permission_codename", "get_random_secret_key", "get_random_string",
    "get_reloader", "get_resolver", "get_safe_settings", "get_script_name",
    "get_script_prefix", "get_standard_processors", "get_storage_class",
    "get_template_from_string", "get_template_loaders", "get_text_list",
    "get_unique_databases_and_mirrors", "get_urlconf", "get_user_model",
    "get_user_model_path", "get_user_permission_codename",
    "get_user_permission_full_codename", "get_username_field", "get_verbose_name",
    "get_version", "get_warnings_state", "getargspec", "gettext", "gettext_lazy",
    "gettext_noop", "gis_lookups", "handler400", "handler403", "handler404",
    "handler500", "help_text_for_field", "hex_regex", "host_validation_re", "http_date",
    "identify_hasher", "import_by_path", "import_library", "import_module",
    "import_string", "importlib", "include", "int_to_base36", "integer_types",
    "ip_address_validators", "iri_to_uri", "is_aware", "is_iterable", "is_iterator",
    "is_password_usable", "is_safe_url", "is_valid_path", "iteritems", "iterkeys",
    "itervalues", "javascript_catalog", "javascript_quote", "json_regex", "keep_lazy",
    "keep_lazy_text", "kwarg_re", "label_for_field", "lazy", "linebreak_iter",
    "load_backend", "loading", "localize", "localtime", "login_not_required",
    "lookup_field", "lookup_needs_distinct", "lookup_spawns_duplicates", "lorem_ipsum",
    "lru_cache", "make_option", "make_password", "make_template_fragment_key",
    "mark_for_escaping", "mark_safe", "md5_constructor", "memoize", "migrations",
    "mock", "model_format_dict", "model_ngettext", "modelformset_factory",
    "modify_settings", "module_has_submodule", "ngettext", "ngettext_lazy",
    "normalize_choices", "npath", "on_commit", "override_settings",
    "override_system_checks", "parse_backend_uri", "parse_bits", "parse_date",
    "parse_datetime", "parse_duration", "parse_etags", "parse_header",
    "parse_http_date_safe", "parse_qs", "password_validators_help_text_html",
    "patch_logger", "path", "patterns", "permalink", "populate_xheaders",
    "post_migrate", "post_syncdb", "pre_migrate", "pre_syncdb", "prepare_lookup_value",
    "pretty_name", "product", "python_2_unicode_compatible", "quote", "re_path",
    "redirect_to_login", "register_converter", "remove_tags", "render",
    "render_to_response", "render_to_string", "reorder_suite", "reraise", "resolve",
    "resolve_url", "resolve_variable", "restore_warnings_state", "rev_typecast_decimal",
    "reverse", "reverse_field_path", "reverse_lazy", "rollback", "run_with_reloader",
    "safe_join", "salted_hmac", "same_origin", "save_instance", "set_autocommit",
    "set_rollback", "set_script_prefix", "set_urlconf", "setting_changed", "settings",
    "setup", "setup_databases", "setup_environ", "sha_constructor", "shortcut",
    "simple_class_factory", "simplejson", "six", "skip", "skipIf", "skipUnless",
    "slugify", "smart_bytes", "smart_str", "smart_text", "smart_unicode", "static",
    "storages", "str", "string_concat", "string_types", "strip_quotes", "sys", "tag_re",
    "template_localtime", "templatize", "text_type", "to_current_timezone",
    "to_language", "to_locale", "total_ordering", "translate_url", "trim_docstring",
    "truncate_html_words", "truncate_name", "truncate_words", "typecast_date",
    "typecast_decimal", "typecast_time", "typecast_timestamp", "ugettext",
    "ugettext_lazy", "ugettext_noop", "unescape_entities", "unescape_string_literal",
    "ungettext", "ungettext_lazy", "unicode", "unittest", "unquote", "unquote_etag",
    "unquote_plus", "upath", "update_contenttypes", "update_session_auth_hash",
    "update_wrapper", "url", "url_has_allowed_host_and_scheme", "urlencode", "urlparse",
    "urlquote", "urlquote_plus", "urlresolvers", "urlsafe_base64_decode",
    "urlsafe_base64_encode", "urlunparse", "urlunquote", "urlunquote_plus",
    "user_model_label", "utc", "validate_host", "validate_password", "verbatim",
    "with_metaclass", "wkt_regex",
]
