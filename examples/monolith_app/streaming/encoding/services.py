import hashlib
from datetime import timedelta

from sqlalchemy import select, update

from streaming.database import db
from streaming.encoding.codecs import CODECS, Codec
from streaming.encoding.models import EncodingJob
from streaming.errors import DomainError
from streaming.helpers import media_path, sha256_of, utcnow
from streaming.media import services as media
from streaming.media.models import Asset, Rendition
from streaming.members.models import Member

LOST_AFTER = timedelta(minutes=10)


class EncodingFailed(Exception):
    pass


def request_job(asset: Asset, codec: str, member: Member, hold: bool = False) -> EncodingJob:
    if codec not in CODECS:
        raise DomainError(f"Unknown codec {codec}; there are {', '.join(sorted(CODECS))}.")
    status = "held" if hold else "queued"
    return EncodingJob(asset=asset, codec=codec, requested_by=member, status=status).save()


def change_status(job: EncodingJob, wanted: str, *allowed: str) -> EncodingJob:
    if job.status not in allowed:
        raise DomainError(f"A job that is {job.status} cannot become {wanted}.")
    job.status = wanted
    job.queued_at = utcnow()
    return job.save()


def take_next(delay: float) -> EncodingJob | None:
    """Claim the oldest job that waits; of several workers only one gets it.

    A job waits `delay` seconds at least, so that whoever asked for it can still cancel.
    """
    settled = utcnow() - timedelta(seconds=delay)
    waiting = select(EncodingJob.id).where(
        EncodingJob.status == "queued", EncodingJob.queued_at <= settled
    )
    job_id = db.session.scalar(waiting.order_by(EncodingJob.id).limit(1))
    if job_id is None:
        return None
    claimed = db.session.execute(
        update(EncodingJob)
        .where(EncodingJob.id == job_id, EncodingJob.status == "queued")
        .values(status="running", started_at=utcnow(), attempts=EncodingJob.attempts + 1)
    )
    db.session.commit()
    return db.session.get(EncodingJob, job_id) if claimed.rowcount == 1 else None


def requeue_lost() -> None:
    """Queue again what a worker took and, being killed, never finished."""
    lost = select(EncodingJob).where(
        EncodingJob.status == "running", EncodingJob.started_at < utcnow() - LOST_AFTER
    )
    for job in db.session.scalars(lost).all():
        job.status = "queued"
        job.save()


def run(job: EncodingJob) -> None:
    try:
        rendition = encode(job.asset, CODECS[job.codec])
    except (EncodingFailed, OSError) as error:
        fail(job, str(error))
    else:
        finish(job, rendition)


def encode(asset: Asset, codec: Codec) -> Rendition:
    """Encode a film, and prove that decoding restores it."""
    original = media.original_path(asset)
    if not original.exists():
        raise EncodingFailed("the original is gone")
    path = f"renditions/{asset.id}-{codec.name}.bin"
    target = media_path(path)
    codec.encode(original, target)
    digest = hashlib.sha256()
    for chunk in codec.decode(target):
        digest.update(chunk)
    if digest.hexdigest() != asset.sha256:
        raise EncodingFailed("decoding does not restore the original")
    return Rendition(
        codec=codec.name, path=path, size=target.stat().st_size, sha256=sha256_of(target)
    )


def finish(job: EncodingJob, rendition: Rendition) -> None:
    job.asset.renditions = [
        other for other in job.asset.renditions if other.codec != rendition.codec
    ]
    db.session.flush()
    job.asset.renditions.append(rendition)
    job.asset.status = "ready"
    job.status = "done"
    job.error = ""
    job.finished_at = utcnow()
    db.session.commit()


def fail(job: EncodingJob, reason: str) -> None:
    job.status = "failed"
    job.error = reason
    job.finished_at = utcnow()
    db.session.commit()
