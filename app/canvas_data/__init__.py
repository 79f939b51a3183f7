"""What canvases are handed. Loads no Streamlit: first pictures come before that is there."""
