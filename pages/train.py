"""Start trainings, watch them, and see their results. They continue when this page is closed."""

from app.state.form_state import form_draft
from app.train.run_list import runs_panel

draft = form_draft()
if draft is None:
    runs_panel()
else:
    from app.train.train_page import train_form  # with every setting there is: only once the form is open

    train_form(draft)
