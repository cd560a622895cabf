"""The views of the app."""

from __future__ import absolute_import

import datetime
import uuid

from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404

from django_compat import (
    DjangoJSONEncoder,
    JsonResponse,
    atomic,
    format_html,
    get_user_model,
    render,
    render_to_string,
    resolve_url,
    url_has_allowed_host_and_scheme,
)
from reusable.forms import NoteForm
from reusable.models import Note


def index(request):
    """List the notes."""
    return render(request, "reusable/index.html", context={"notes": Note.objects.all()})


def detail(request, pk):
    """Show a note."""
    note = get_object_or_404(Note, pk=pk)
    heading = format_html(u"<h1>{0}</h1>", note.title)
    context = {"heading": heading, "type": type(pk).__name__}
    content = render_to_string("reusable/detail.html", context, request=request)
    return render(request, "reusable/page.html", {"content": content})


def add(request):
    """Save a note, and redirect to ``next`` if that is a URL of this host."""
    form = NoteForm(request.POST or None)
    if not form.is_valid():
        return render(request, "reusable/form.html", {"form": form})
    with atomic():
        note = form.save()
        with atomic():
            note.author = get_user_model().objects.order_by("pk")[0]
            note.save()
    target = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}):
        target = resolve_url(note)
    return HttpResponseRedirect(target)


def fail(request):
    """Save a note, and fail: the transaction is rolled back."""
    with atomic():
        Note.objects.create(title="lost")
        raise ValueError("on purpose")


def answer(request, key):
    """Answer with the key and its class as JSON."""
    age = datetime.timedelta(days=1, seconds=90)
    is_key = isinstance(key, uuid.UUID)
    data = {"key": key, "is_key": is_key, "age": age}
    return JsonResponse(data, encoder=DjangoJSONEncoder)


def below(request, **captured):
    """Answer with the values that the routes captured."""
    return JsonResponse(captured)
