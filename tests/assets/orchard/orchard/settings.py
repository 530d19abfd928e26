import os


class Base:
    SECRET_KEY = "not secret"
    SQLALCHEMY_DATABASE_URI = os.environ.get("DATABASE_URL", "sqlite://")


class Production(Base):
    PREFERRED_URL_SCHEME = "https"


class Development(Base):
    DEBUG = True
