"""What the base classes of Flask-Admin serve, call and let a project's class say."""

from __future__ import annotations

from migrator.graph.web.exposed import Marked

MODEL_VIEW = "ModelView"
INDEX = "AdminIndexView"
FILES = "FileAdmin"
BASES = (MODEL_VIEW, "BaseModelView", INDEX, FILES, "BaseFileAdmin", "BaseView")

_OF_MODEL_VIEWS = (
    Marked("index_view", "/", ("GET",)),
    Marked("create_view", "/new/", ("GET", "POST")),
    Marked("edit_view", "/edit/", ("GET", "POST")),
    Marked("details_view", "/details/", ("GET",)),
    Marked("delete_view", "/delete/", ("POST",)),
    Marked("action_view", "/action/", ("POST",)),
    Marked("export", "/export/<export_type>/", ("GET",)),
    Marked("ajax_lookup", "/ajax/lookup/", ("GET",)),
    Marked("ajax_update", "/ajax/update/", ("POST",)),
)
PROVIDED: dict[str, tuple[Marked, ...]] = {
    MODEL_VIEW: _OF_MODEL_VIEWS,
    "BaseModelView": _OF_MODEL_VIEWS,
    INDEX: (
        Marked("index", "/", ("GET",)),
        Marked("static", "/static/<path:filename>", ("GET",)),
    ),
    FILES: (
        Marked("index_view", "/", ("GET",)),
        Marked("index_view", "/b/<path:path>", ("GET",)),
        Marked("index", "/old_index", ("GET",)),
        Marked("index", "/old_b/<path:path>", ("GET",)),
        Marked("upload", "/upload/", ("GET", "POST")),
        Marked("upload", "/upload/<path:path>", ("GET", "POST")),
        Marked("download", "/download/<path:path>", ("GET",)),
        Marked("mkdir", "/mkdir/", ("GET", "POST")),
        Marked("mkdir", "/mkdir/<path:path>", ("GET", "POST")),
        Marked("delete", "/delete/", ("POST",)),
        Marked("rename", "/rename/", ("GET", "POST")),
        Marked("edit", "/edit/", ("GET", "POST")),
        Marked("action_view", "/action/", ("POST",)),
    ),
}
"""The pages of each base, in the order of `flask_admin.model.base` and `contrib.fileadmin`."""

AROUND = ("is_accessible", "inaccessible_callback", "_handle_view")
"""What runs before any page of a view."""
CALLED: dict[str, tuple[str, ...]] = {
    "index_view": (
        "get_query",
        "get_count_query",
        "get_list",
        "get_list_value",
        "list_form",
        "search_placeholder",
    ),
    "create_view": (
        "create_form",
        "validate_form",
        "create_model",
        "build_new_instance",
        "on_model_change",
        "after_model_change",
        "get_save_return_url",
    ),
    "edit_view": (
        "get_one",
        "edit_form",
        "validate_form",
        "on_form_prefill",
        "update_model",
        "on_model_change",
        "after_model_change",
        "get_save_return_url",
    ),
    "details_view": ("get_one", "get_detail_value"),
    "delete_view": (
        "get_one",
        "delete_form",
        "validate_form",
        "delete_model",
        "on_model_delete",
        "after_model_delete",
    ),
    "action_view": ("get_query", "on_model_delete", "after_model_delete"),
    "export": ("get_query", "get_count_query", "get_list", "get_export_value"),
    "ajax_update": ("get_one", "update_model", "on_model_change", "after_model_change"),
}
"""The methods that a page calls, which a project's class may override."""
TAKES_MODEL: dict[str, int] = {
    "on_model_change": 1,
    "after_model_change": 1,
    "update_model": 1,
    "on_model_delete": 0,
    "after_model_delete": 0,
    "delete_model": 0,
    "get_list_value": 1,
    "get_detail_value": 1,
    "get_export_value": 0,
    "edit_form": 0,
}
"""Which argument of those methods is the row."""
ALLOWS = {
    "create_view": "can_create",
    "edit_view": "can_edit",
    "delete_view": "can_delete",
    "action_view": "can_delete",
}
"""What a class may forbid: `can_create = False`."""
NEEDS = {
    "details_view": "can_view_details",
    "export": "can_export",
    "ajax_lookup": "form_ajax_refs",
    "ajax_update": "column_editable_list",
}
"""What a class has to say for a page to answer at all."""
