from sqlalchemy import text

from streaming.database import db

ENGAGEMENT = text(
    """
    SELECT m.email AS member,
           p.name AS plan,
           COUNT(DISTINCT v.id) AS viewings,
           COALESCE(SUM(v.position_s), 0) AS watched_s,
           MIN(t.name) AS first_title,
           (SELECT COALESCE(SUM(i.amount_cents - i.refunded_cents), 0)
              FROM invoices i
             WHERE i.member_id = m.id AND i.status = 'paid') AS revenue_cents
      FROM members m
      JOIN profiles pr ON pr.member_id = m.id
      JOIN viewings v ON v.profile_id = pr.id
      JOIN titles t ON t.id = v.title_id
      LEFT JOIN subscriptions s ON s.member_id = m.id AND s.status = 'active'
      LEFT JOIN plans p ON p.id = s.plan_id
     WHERE t.min_age <= :max_age
     GROUP BY m.id, m.email, p.name
     ORDER BY watched_s DESC, m.email
    """
)

GENRES = text(
    """
    SELECT g.name AS genre, COUNT(v.id) AS viewings
      FROM genres g
      JOIN title_genres tg ON tg.genre_id = g.id
      JOIN viewings v ON v.title_id = tg.title_id
     GROUP BY g.id, g.name
     ORDER BY viewings DESC, g.name
    """
)


def engagement(max_age: int = 18) -> list[dict]:
    """Who watches how much, and what that brings in."""
    rows = db.session.execute(ENGAGEMENT, {"max_age": max_age})
    return [dict(row) for row in rows.mappings()]


def genres() -> list[dict]:
    return [dict(row) for row in db.session.execute(GENRES).mappings()]
