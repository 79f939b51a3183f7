"""The only package that touches ``st.session_state`` and ``st.query_params``: every key, its type, default and check.

The address bar is the state: what a widget holds is written there, and a link restores it. An address may say
anything: each value is checked, and what does not pass falls back to the default. There is a module for each page.
"""
