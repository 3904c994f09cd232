"""PostgreSQL: connections, what its errors mean, and the SQL files that make the tables."""
