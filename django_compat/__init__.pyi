import builtins
from datetime import timezone
from typing import Any

from django_compat._async import (
    aclose_all_connections,
    aclose_old_connections,
    aclose_stale_connections,
)
from django_compat.connections import (
    close_all_connections,
    close_old_connections,
    close_stale_connections,
    discard_connections,
)
from django_compat.disconnects import is_disconnect, retry_on_disconnect
from django_compat.executors import ThreadPoolExecutor
from django_compat.guard import guard_connections
from django_compat.scopes import closing_connections, fresh_connections
from django_compat.connections import close_connection  # type: ignore[deprecated]

__all__ = [
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
    "aclose_all_connections",
    "aclose_old_connections",
    "aclose_stale_connections",
    "close_all_connections",
    "close_connection",
    "close_old_connections",
    "close_stale_connections",
    "closing_connections",
    "discard_connections",
    "fresh_connections",
    "guard_connections",
    "is_disconnect",
    "retry_on_disconnect",
]

__version__: builtins.str

# Django's own class, or ours: a DeprecationWarning or a PendingDeprecationWarning, by
# how near the release is.
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

# Moved names: docs/moved-names.rst says what each is. Django itself has no types, so
# that most are Any.
from collections import OrderedDict as OrderedDict
from contextlib import ContextDecorator as ContextDecorator
from functools import lru_cache as lru_cache
from functools import total_ordering as total_ordering
from hashlib import md5 as md5_constructor
from hashlib import sha1 as sha_constructor
from html.parser import HTMLParser as HTMLParser
from http.cookies import SimpleCookie as SimpleCookie
from importlib import import_module as import_module
from io import BytesIO as BytesIO
from io import StringIO as StringIO
from logging import NullHandler as NullHandler
from logging import getLogger as getLogger
from logging.config import dictConfig as dictConfig
from socket import error as WSGIServerException
from threading import get_ident as get_ident
from unittest import mock as mock
from urllib.parse import parse_qs as parse_qs
from urllib.parse import unquote_plus as unquote_plus
from urllib.parse import urlencode as urlencode
from urllib.parse import urlparse as urlparse
from urllib.parse import urlunparse as urlunparse
import json as simplejson
import sys as sys
import unittest as unittest
AbstractBaseUser: Any
AlreadyRegistered: Any
AppConfig: Any
AppRegistryNotReady: Any
BaseChoiceIterator: Any
BaseDatabaseClient: Any
BaseDatabaseCreation: Any
BaseDatabaseFeatures: Any
BaseDatabaseIntrospection: Any
BaseDatabaseOperations: Any
BaseDatabaseSchemaEditor: Any
BaseDatabaseValidation: Any
BaseDatabaseWrapper: Any
BaseGenericInlineFormSet: Any
BaseLoader: Any
BaseSpatialOperations: Any
BaseUserManager: Any
BitAnd: Any
BitOr: Any
BitXor: Any
BoundField: Any
CLEANSED_SUBSTITUTE: builtins.str
CallableChoiceIterator: Any
CheckFieldDefaultMixin: Any
ChoicesMeta: Any
ChoicesType: Any
CompatCookie: Any
CompatibilityAppCommand: Any
CompatibilityBaseCommand: Any
CompatibilityLabelCommand: Any
ConnectionDoesNotExist: Any
CursorDebugWrapper: Any
CursorWrapper: Any
DateTimeAwareJSONEncoder: Any
DayTransform: Any
DebugLexer: Any
DecimalRangeField: Any
DiscoverRunner: Any
DjangoJSONEncoder: Any
DjangoTestSuiteRunner: Any
EmailValidator: Any
EmptyResultSet: Any
Engine: Any
ErrorDict: Any
ErrorList: Any
ExtractDay: Any
ExtractHour: Any
ExtractMinute: Any
ExtractMonth: Any
ExtractSecond: Any
ExtractWeekDay: Any
ExtractYear: Any
FieldDoesNotExist: Any
FieldInfo: Any
FixedOffset: Any
FlatPageSitemap: Any
FloatRangeField: Any
ForcePolygonCW: Any
ForceRHR: Any
ForeignObjectRel: Any
ForeignRelatedObjectsDescriptor: Any
ForwardManyToOneDescriptor: Any
FullResultSet: Any
GDALException: Any
GenericForeignKey: Any
GenericInlineModelAdmin: Any
GenericRel: Any
GenericRelation: Any
GenericStackedInline: Any
GenericTabularInline: Any
GeometryProxy: Any
HIDDEN_SETTINGS: Any
HourTransform: Any
HttpResponseBase: Any
HttpResponseRedirectBase: Any
IS_POPUP_VAR: builtins.str
ImproperlyConfigured: Any
InvalidJSONInput: Any
InvalidStorageError: Any
InvalidTemplateLibrary: Any
JSONField: Any
JSONString: Any
JsonResponse: Any
KeyTextTransform: Any
KeyTransform: Any
KeyTransformFactory: Any
KeyTransformTextLookupMixin: Any
LOOKUP_SEP: builtins.str
Library: Any
LoaderOrigin: Any
LocaleRegexProvider: Any
LocaleRegexURLResolver: Any
ManyRelatedObjectsDescriptor: Any
ManyToManyDescriptor: Any
ManyToManyRel: Any
ManyToOneRel: Any
MergeDict: Any
MiddlewareMixin: Any
MinuteTransform: Any
MonthTransform: Any
NON_FIELD_ERRORS: builtins.str
NO_DB_ALIAS: builtins.str
NestedObjects: Any
NoArgsCommand: Any
NoReverseMatch: Any
NotRegistered: Any
NotRelationField: Any
OGRException: Any
OneToOneRel: Any
Origin: Any
OutputWrapper: Any
PY2: bool
PY3: bool
Paginator: Any
PathInfo: Any
PickleSerializer: Any
ProxyParser: Any
QUERY_TERMS: Any
QuerySetPaginator: Any
REASON_PHRASES: dict[int, builtins.str]
Random: Any
RegexURLPattern: Any
RegexURLResolver: Any
RegisterLookupMixin: Any
RelatedObject: Any
RequestSite: Any
Resolver404: Any
ResolverMatch: Any
ReverseGenericManyToOneDescriptor: Any
ReverseGenericRelatedObjectsDescriptor: Any
ReverseManyRelatedObjectsDescriptor: Any
ReverseManyToOneDescriptor: Any
ReverseOneToOneDescriptor: Any
ReverseSingleRelatedObjectDescriptor: Any
STATUS_CODE_TEXT: Any
SafeString: Any
SafeText: Any
SafeUnicode: Any
SecondTransform: Any
SelectDateWidget: Any
SingleRelatedObjectDescriptor: Any
SortedDict: Any
SpatialProxy: Any
SpatialRefSysMixin: Any
StaticLiveServerTestCase: Any
StaticNode: Any
StrAndUnicode: Any
StringAgg: Any
SubfieldBase: Any
Support_ValuesListQuerySet: bool
Support_ValuesQuerySet: bool
TEST_DATABASE_PREFIX: builtins.str
TOKEN_BLOCK: Any
TOKEN_COMMENT: Any
TOKEN_TEXT: Any
TOKEN_VAR: Any
TO_FIELD_VAR: builtins.str
TRANSLATOR_COMMENT_MARK: builtins.str
TagHelperNode: Any
TemplateDoesNotExist: Any
TemplateSyntaxError: Any
TokenType: Any
URLPattern: Any
URLResolver: Any
URLValidator: Any
VSI_FILESYSTEM_BASE_PATH: builtins.str
VSI_MEM_FILESYSTEM_BASE_PATH: builtins.str
ValuesListQuerySet: Any
ValuesQuerySet: Any
VariableNode: Any
View: Any
WKTAdapter: Any
WeekDayTransform: Any
XViewMiddleware: Any
YearTransform: Any
absolute_http_url_re: Any
add_metaclass: Any
add_postgis_srs: Any
add_srs_entry: Any
add_to_builtins: Any
admin_utils: Any
allow_lazy: Any
apps: Any
async_unsafe: Any
atomic: Any
available_attrs: Any
basestring = builtins.str
binary_type = bytes
caches: Any
camel_case_to_spaces: Any
class_types: Any
classproperty: Any
clean_manytomany_helptext: Any
cleanse_setting: Any
clear_script_prefix: Any
clear_url_caches: Any
commit: Any
commit_on_success: Any
conditional_content_removal: Any
conditional_escape: Any
context_processors: Any
cookie_date: Any
create_contenttypes: Any
create_permissions: Any
csrf_exempt: Any
csrf_view_exempt: Any
curry: Any
default_test_processes: Any
dependency_ordered: Any
display_for_field: Any
display_for_value: Any
django: Any
do_static: Any
engines: Any
find_template_loader: Any
flatatt: Any
flatten_fieldsets: Any
force_bytes: Any
force_str: Any
force_text: Any
force_unicode: Any
format_html: Any
format_html_join: Any
format_number: Any
from_current_timezone: Any
generic_inlineformset_factory: Any
get_app: Any
get_apps: Any
get_cache: Any
get_callable: Any
get_current_site: Any
get_deleted_objects: Any
get_fields_from_path: Any
get_max_test_processes: Any
get_mod_func: Any
get_model: Any
get_model_from_relation: Any
get_model_name: Any
get_models: Any
get_ns_resolver: Any
get_path_info: Any
get_permission_codename: Any
get_random_string: Any
get_resolver: Any
get_safe_settings: Any
get_script_name: Any
get_script_prefix: Any
get_storage_class: Any
get_template_loaders: Any
get_unique_databases_and_mirrors: Any
get_urlconf: Any
get_user_model: Any
get_user_model_path: Any
get_user_permission_codename: Any
get_user_permission_full_codename: Any
get_username_field: Any
get_verbose_name: Any
gettext: Any
gettext_lazy: Any
gettext_noop: Any
handler400: Any
handler403: Any
handler404: Any
handler500: Any
help_text_for_field: Any
hex_regex: Any
host_validation_re: Any
http_date: Any
import_by_path: Any
import_library: Any
import_string: Any
include: Any
integer_types: Any
ip_address_validators: Any
is_iterable: Any
is_safe_url: Any
is_valid_path: Any
iteritems: Any
iterkeys: Any
itervalues: Any
json_regex: Any
keep_lazy: Any
keep_lazy_text: Any
label_for_field: Any
linebreak_iter: Any
login_not_required: Any
lookup_field: Any
lookup_needs_distinct: Any
lookup_spawns_duplicates: Any
lorem_ipsum: Any
memoize: Any
model_format_dict: Any
model_ngettext: Any
ngettext: Any
ngettext_lazy: Any
normalize_choices: Any
override_settings: Any
parse_bits: Any
path: Any
patterns: Any
permalink: Any
post_migrate: Any
post_syncdb: Any
pre_migrate: Any
pre_syncdb: Any
prepare_lookup_value: Any
pretty_name: Any
python_2_unicode_compatible: Any
quote: Any
re_path: Any
register_converter: Any
render: Any
render_to_response: Any
render_to_string: Any
reorder_suite: Any
reraise: Any
resolve: Any
resolve_url: Any
resolve_variable: Any
rev_typecast_decimal: Any
reverse: Any
reverse_field_path: Any
reverse_lazy: Any
rollback: Any
same_origin: Any
set_script_prefix: Any
set_urlconf: Any
setting_changed: Any
settings: Any
setup_databases: Any
shortcut: Any
six: Any
slugify: Any
smart_bytes: Any
smart_str: Any
smart_text: Any
smart_unicode: Any
static: Any
storages: Any
str = builtins.str
string_concat: Any
string_types: Any
strip_quotes: Any
text_type = builtins.str
to_current_timezone: Any
to_language: Any
translate_url: Any
trim_docstring: Any
truncate_html_words: Any
truncate_name: Any
truncate_words: Any
typecast_date: Any
typecast_decimal: Any
typecast_time: Any
typecast_timestamp: Any
ugettext: Any
ugettext_lazy: Any
ugettext_noop: Any
unescape_entities: Any
ungettext: Any
ungettext_lazy: Any
unicode = builtins.str
unquote: Any
update_contenttypes: Any
url: Any
url_has_allowed_host_and_scheme: Any
urlquote: Any
urlquote_plus: Any
urlresolvers: Any
urlunquote: Any
urlunquote_plus: Any
user_model_label: builtins.str
utc: timezone
validate_host: Any
with_metaclass: Any
wkt_regex: Any
