"""Figures of plain data: plotly, no Streamlit."""
