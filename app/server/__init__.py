"""The server around Streamlit: routes, the guard, sign-in, and models in memory."""
