import hashlib
from pathlib import Path

from sqlalchemy import select

from streaming.catalogue.models import Title
from streaming.database import db
from streaming.errors import DomainError
from streaming.helpers import media_path
from streaming.media.models import Asset, Rendition
from streaming.members.models import Member

ARTWORK_TYPES = {"image/png": ".png", "image/jpeg": ".jpg", "image/svg+xml": ".svg"}


def original_path(asset: Asset) -> Path:
    return media_path("originals", f"{asset.id}.bin")


def store_original(title: Title, member: Member, filename: str, content_type: str, stream) -> Asset:
    """Keep an uploaded film; it is read in pieces, since films are large."""
    incoming = media_path("incoming", f"{title.id}-{member.id}.part")
    digest, size = hashlib.sha256(), 0
    with incoming.open("wb") as file:
        while chunk := stream.read(1 << 16):
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    if size == 0:
        incoming.unlink()
        raise DomainError("The file is empty.")
    asset = Asset(
        title=title,
        uploaded_by=member,
        filename=filename,
        content_type=content_type,
        size=size,
        sha256=digest.hexdigest(),
    )
    db.session.add(asset)
    db.session.flush()
    incoming.replace(original_path(asset))
    db.session.commit()
    return asset


def purge_original(asset: Asset) -> Asset:
    """Delete the delivered file; renditions stay."""
    original_path(asset).unlink(missing_ok=True)
    asset.status = "purged"
    db.session.commit()
    return asset


def best_rendition(title: Title) -> Rendition | None:
    """The smallest rendition that can be streamed."""
    query = (
        select(Rendition)
        .join(Rendition.asset)
        .where(Asset.title_id == title.id)
        .order_by(Rendition.size, Rendition.id)
    )
    return db.session.scalars(query.limit(1)).first()


def store_artwork(title: Title, content_type: str, image: bytes) -> None:
    if content_type not in ARTWORK_TYPES:
        raise DomainError("Artwork must be PNG, JPEG or SVG.")
    for suffix in ARTWORK_TYPES.values():
        media_path("artwork", f"{title.id}{suffix}").unlink(missing_ok=True)
    media_path("artwork", f"{title.id}{ARTWORK_TYPES[content_type]}").write_bytes(image)


def find_artwork(title: Title) -> tuple[Path, str] | None:
    for content_type, suffix in ARTWORK_TYPES.items():
        path = media_path("artwork", f"{title.id}{suffix}")
        if path.exists():
            return path, content_type
    return None
