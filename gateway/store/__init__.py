"""PostgreSQL and object storage behind small, typed stores. SQLAlchemy and boto3 stop here."""
