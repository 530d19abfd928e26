from datetime import datetime

from streaming.database import db
from streaming.helpers import hash_password
from streaming.members.models import Member, Profile, ProfilePreferences

PASSWORD = "correct horse"
MEMBERS = (
    ("staff@stream.example", "Sam Staff", ("Sam",)),
    ("alice@stream.example", "Alice Ahrens", ("Alice", "Anton (child)")),
    ("bob@stream.example", "Bob Brandt", ("Bob",)),
    ("carol@stream.example", "Carol Castro", ("Carol", "Cleo")),
    ("dave@stream.example", "Dave Dietz", ("Dave",)),
    ("erin@stream.example", "Erin Egger", ("Erin",)),
    ("frank@stream.example", "Frank Fuchs", ("Frank",)),
    ("grace@stream.example", "Grace Gerber", ("Grace",)),
)


def seed_members() -> None:
    password_hash = hash_password(PASSWORD)
    joined = datetime(2024, 1, 15, 12)
    for email, name, profiles in MEMBERS:
        member = Member(
            email=email,
            name=name,
            password_hash=password_hash,
            is_staff=email.startswith("staff@"),
            created_at=joined,
            last_seen_at=joined,
        )
        for profile in profiles:
            member.profiles.append(
                Profile(
                    name=profile.removesuffix(" (child)"),
                    is_child=profile.endswith("(child)"),
                    preferences=ProfilePreferences(),
                )
            )
        db.session.add(member)
        db.session.flush()
    db.session.commit()
