def register(app):
    app.config["PESTS"] = ["aphid"]
