"""Compares the database at DATABASE_URL with models written from the specification.

Prints what Alembic would change, and what it does not look at (checks, names, primary and
foreign keys), and ends with 1 where there is anything.
"""

import os
import sys

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import (
    JSON, Boolean, CheckConstraint, Column, Date, DateTime, Float, ForeignKey, Index, Integer,
    MetaData, Numeric, String, Table, Text, UniqueConstraint, create_engine, inspect, text,
)

metadata = MetaData()
NOW = text("now()")
TRUE = text("true")
FALSE = text("false")


def key():
    return Column("id", Integer, primary_key=True)


def moment(name, default=NOW):
    return Column(name, DateTime, server_default=default)


def reference(name, table, nullable=False):
    return Column(name, Integer, ForeignKey(f"{table}.id"), nullable=nullable)


Table(
    "users", metadata, key(),
    Column("email", String(255), unique=True, nullable=False),
    Column("hashed_password", String(255), nullable=False),
    Column("full_name", String(255)),
    Column("is_active", Boolean, server_default=TRUE),
    Column("is_superuser", Boolean, server_default=FALSE),
    moment("created_at"), moment("updated_at"),
    Index("idx_users_email", "email"),
)
Table(
    "jobs", metadata, key(),
    Column("title", String(255), nullable=False),
    Column("company_name", String(255), nullable=False),
    Column("description", Text),
    Column("requirements", Text),
    Column("location", String(255)),
    Column("salary_min", Numeric(10, 2)),
    Column("salary_max", Numeric(10, 2)),
    Column("employment_type", String(50)),
    Column("experience_level", String(50)),
    Column("industry", String(100)),
    Column("is_active", Boolean, server_default=TRUE),
    Column("posted_date", Date, server_default=text("CURRENT_DATE")),
    moment("created_at"), moment("updated_at"),
    CheckConstraint("salary_min >= 0", name="check_salary_min_positive"),
    CheckConstraint("salary_max >= salary_min", name="check_salary_max_greater_than_min"),
    Index("idx_jobs_company_active", "company_name", "is_active"),
    Index("idx_jobs_location_industry", "location", "industry"),
)
Table(
    "job_scores", metadata, key(),
    reference("user_id", "users"), reference("job_id", "jobs"),
    Column("total_score", Float, nullable=False),
    Column("skill_match_score", Float),
    Column("experience_score", Float),
    Column("location_score", Float),
    Column("salary_score", Float),
    Column("culture_fit_score", Float),
    Column("scoring_algorithm_version", String(20), server_default="1.0"),
    moment("scored_at"), moment("created_at"),
    CheckConstraint("total_score >= 0 AND total_score <= 100", name="check_total_score_range"),
    UniqueConstraint(
        "user_id", "job_id", "scoring_algorithm_version", name="unique_user_job_score"
    ),
    Index("idx_job_scores_user_job", "user_id", "job_id"),
    Index("idx_job_scores_total_score", "total_score"),
)
Table(
    "matching_results", metadata, key(),
    reference("user_id", "users"), reference("job_id", "jobs"),
    reference("job_score_id", "job_scores"),
    Column("match_status", String(20), server_default="pending"),
    Column("recommendation_reason", Text),
    Column("confidence_level", Float),
    Column("is_viewed", Boolean, server_default=FALSE),
    Column("is_applied", Boolean, server_default=FALSE),
    moment("matched_at"), moment("created_at"), moment("updated_at"),
    CheckConstraint(
        "confidence_level >= 0 AND confidence_level <= 1", name="check_confidence_range"
    ),
    Index("idx_matching_results_user", "user_id"),
    Index("idx_matching_results_status", "match_status"),
)
Table(
    "email_logs", metadata, key(),
    reference("user_id", "users", nullable=True),
    Column("email_type", String(50), nullable=False),
    Column("recipient_email", String(255), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("body", Text, nullable=False),
    Column("status", String(20), server_default="pending"),
    moment("sent_at", None),
    Column("error_message", Text),
    moment("created_at"),
    Index("idx_email_logs_status", "status"),
    Index("idx_email_logs_type", "email_type"),
)
Table(
    "csv_imports", metadata, key(),
    Column("filename", String(255), nullable=False),
    Column("file_size", Integer, nullable=False),
    Column("file_hash", String(64), unique=True, nullable=False),
    Column("import_type", String(50), nullable=False),
    Column("status", String(20), server_default="pending"),
    Column("total_rows", Integer),
    Column("processed_rows", Integer, server_default="0"),
    Column("success_rows", Integer, server_default="0"),
    Column("error_rows", Integer, server_default="0"),
    Column("error_details", JSON),
    moment("started_at", None), moment("completed_at", None), moment("created_at"),
    CheckConstraint("file_size > 0", name="check_file_size_positive"),
    Index("idx_csv_imports_status", "status"),
    Index("idx_csv_imports_type", "import_type"),
)


def ours(thing, name, kind, reflected, compared):
    """The history of migrations is not the application's."""
    return kind != "table" or name in metadata.tables


def constraints(connection):
    """Names that Alembic does not compare: checks, and the defaults for keys."""
    found = inspect(connection)
    for table in metadata.sorted_tables:
        wanted = {c.name for c in table.constraints if isinstance(c, CheckConstraint) and c.name}
        there = {check["name"] for check in found.get_check_constraints(table.name)}
        if wanted != there:
            yield f"{table.name}: checks {sorted(there)}, expected {sorted(wanted)}"
        for key in found.get_foreign_keys(table.name):
            if key["name"] != f"{table.name}_{key['constrained_columns'][0]}_fkey":
                yield f"{table.name}: foreign key {key['name']}"
        if found.get_pk_constraint(table.name)["name"] != f"{table.name}_pkey":
            yield f"{table.name}: primary key"
    keys = {u["name"] for t in ("users", "csv_imports") for u in found.get_unique_constraints(t)}
    if keys != {"users_email_key", "csv_imports_file_hash_key"}:
        yield f"unique constraints {sorted(keys)}"


url = os.environ["DATABASE_URL"].replace("postgres://", "postgresql+psycopg2://", 1)
with create_engine(url).connect() as connection:
    context = MigrationContext.configure(
        connection,
        opts={"compare_type": True, "compare_server_default": True, "include_object": ours},
    )
    differences = [*compare_metadata(context, metadata), *constraints(connection)]
for difference in differences:
    print(difference)
sys.exit(1 if differences else 0)
