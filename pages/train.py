"""Start trainings, watch them, and see what came of them. They go on when this page is closed."""

from app.run_list import runs_panel
from app.state.form import form_draft
from app.train_form import train_form

draft = form_draft()
if draft is None:
    runs_panel()
else:
    train_form(draft)
