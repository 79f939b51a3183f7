"""Where rows come from: a data folder, the Hub, or files of the user."""
