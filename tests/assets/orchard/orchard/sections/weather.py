def register(app):
    app.config["WEATHER"] = "mild"
