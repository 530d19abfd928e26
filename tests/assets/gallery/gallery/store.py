"""The database, and where files lie: beside the code."""

import os
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.orm import declarative_base, scoped_session, sessionmaker

ROOT = Path(__file__).resolve().parent.parent
BADGES = ROOT / "files" / "badges"

engine = create_engine(os.environ["GALLERY_DB"])
Session = scoped_session(sessionmaker(bind=engine))
Base = declarative_base()
