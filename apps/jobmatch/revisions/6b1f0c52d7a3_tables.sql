-- revision: 6b1f0c52d7a3
-- parents: none
-- message: create the six tables

-- up postgres
CREATE TABLE users (
    id serial PRIMARY KEY,
    email varchar(255) NOT NULL UNIQUE,
    hashed_password varchar(255) NOT NULL,
    full_name varchar(255),
    is_active boolean DEFAULT true,
    is_superuser boolean DEFAULT false,
    created_at timestamp DEFAULT now(),
    updated_at timestamp DEFAULT now()
);

CREATE TABLE jobs (
    id serial PRIMARY KEY,
    title varchar(255) NOT NULL,
    company_name varchar(255) NOT NULL,
    description text,
    requirements text,
    location varchar(255),
    salary_min numeric(10, 2),
    salary_max numeric(10, 2),
    employment_type varchar(50),
    experience_level varchar(50),
    industry varchar(100),
    is_active boolean DEFAULT true,
    posted_date date DEFAULT CURRENT_DATE,
    created_at timestamp DEFAULT now(),
    updated_at timestamp DEFAULT now(),
    CONSTRAINT check_salary_min_positive CHECK (salary_min >= 0),
    CONSTRAINT check_salary_max_greater_than_min CHECK (salary_max >= salary_min)
);

CREATE TABLE job_scores (
    id serial PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id),
    job_id integer NOT NULL REFERENCES jobs (id),
    total_score double precision NOT NULL,
    skill_match_score double precision,
    experience_score double precision,
    location_score double precision,
    salary_score double precision,
    culture_fit_score double precision,
    scoring_algorithm_version varchar(20) DEFAULT '1.0',
    scored_at timestamp DEFAULT now(),
    created_at timestamp DEFAULT now(),
    CONSTRAINT check_total_score_range CHECK (total_score >= 0 AND total_score <= 100),
    CONSTRAINT unique_user_job_score UNIQUE (user_id, job_id, scoring_algorithm_version)
);

CREATE TABLE matching_results (
    id serial PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id),
    job_id integer NOT NULL REFERENCES jobs (id),
    job_score_id integer NOT NULL REFERENCES job_scores (id),
    match_status varchar(20) DEFAULT 'pending',
    recommendation_reason text,
    confidence_level double precision,
    is_viewed boolean DEFAULT false,
    is_applied boolean DEFAULT false,
    matched_at timestamp DEFAULT now(),
    created_at timestamp DEFAULT now(),
    updated_at timestamp DEFAULT now(),
    CONSTRAINT check_confidence_range CHECK (confidence_level >= 0 AND confidence_level <= 1)
);

CREATE TABLE email_logs (
    id serial PRIMARY KEY,
    user_id integer REFERENCES users (id),
    email_type varchar(50) NOT NULL,
    recipient_email varchar(255) NOT NULL,
    subject varchar(255) NOT NULL,
    body text NOT NULL,
    status varchar(20) DEFAULT 'pending',
    sent_at timestamp,
    error_message text,
    created_at timestamp DEFAULT now()
);

CREATE TABLE csv_imports (
    id serial PRIMARY KEY,
    filename varchar(255) NOT NULL,
    file_size integer NOT NULL,
    file_hash varchar(64) NOT NULL UNIQUE,
    import_type varchar(50) NOT NULL,
    status varchar(20) DEFAULT 'pending',
    total_rows integer,
    processed_rows integer DEFAULT 0,
    success_rows integer DEFAULT 0,
    error_rows integer DEFAULT 0,
    error_details json,
    started_at timestamp,
    completed_at timestamp,
    created_at timestamp DEFAULT now(),
    CONSTRAINT check_file_size_positive CHECK (file_size > 0)
);

-- up sqlite
-- The checks hold what SQLite's types do not: lengths, the ranges of integer and
-- numeric(10,2), the forms of booleans, dates, timestamps and JSON. PostgreSQL rounds what
-- has more than two decimals before it looks at a constraint; so do the checks of the
-- salaries, and the triggers store them rounded.
CREATE TABLE users (
    id INTEGER PRIMARY KEY CONSTRAINT users_id_integer CHECK (id BETWEEN -2147483648 AND 2147483647),
    email TEXT NOT NULL CONSTRAINT users_email_key UNIQUE
        CONSTRAINT users_email_length CHECK (length(email) <= 255),
    hashed_password TEXT NOT NULL
        CONSTRAINT users_hashed_password_length CHECK (length(hashed_password) <= 255),
    full_name TEXT
        CONSTRAINT users_full_name_length CHECK (length(full_name) <= 255),
    is_active INTEGER DEFAULT TRUE CONSTRAINT users_is_active_boolean CHECK (is_active IN (0, 1)),
    is_superuser INTEGER DEFAULT FALSE CONSTRAINT users_is_superuser_boolean CHECK (is_superuser IN (0, 1)),
    created_at TEXT DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
        CONSTRAINT users_created_at_timestamp CHECK (
            created_at IS strftime('%Y-%m-%d %H:%M:%S', substr(created_at, 1, 19), '+0 days') || substr(created_at, 20)
            AND (length(created_at) = 19
                OR substr(created_at, 20) GLOB '.[0-9]*' AND substr(created_at, 21) NOT GLOB '*[^0-9]*')),
    updated_at TEXT DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
        CONSTRAINT users_updated_at_timestamp CHECK (
            updated_at IS strftime('%Y-%m-%d %H:%M:%S', substr(updated_at, 1, 19), '+0 days') || substr(updated_at, 20)
            AND (length(updated_at) = 19
                OR substr(updated_at, 20) GLOB '.[0-9]*' AND substr(updated_at, 21) NOT GLOB '*[^0-9]*'))
) STRICT;

CREATE TABLE jobs (
    id INTEGER PRIMARY KEY CONSTRAINT jobs_id_integer CHECK (id BETWEEN -2147483648 AND 2147483647),
    title TEXT NOT NULL
        CONSTRAINT jobs_title_length CHECK (length(title) <= 255),
    company_name TEXT NOT NULL
        CONSTRAINT jobs_company_name_length CHECK (length(company_name) <= 255),
    description TEXT,
    requirements TEXT,
    location TEXT
        CONSTRAINT jobs_location_length CHECK (length(location) <= 255),
    salary_min REAL CONSTRAINT jobs_salary_min_numeric CHECK (abs(salary_min) < 99999999.995),
    salary_max REAL CONSTRAINT jobs_salary_max_numeric CHECK (abs(salary_max) < 99999999.995),
    employment_type TEXT
        CONSTRAINT jobs_employment_type_length CHECK (length(employment_type) <= 50),
    experience_level TEXT
        CONSTRAINT jobs_experience_level_length CHECK (length(experience_level) <= 50),
    industry TEXT
        CONSTRAINT jobs_industry_length CHECK (length(industry) <= 100),
    is_active INTEGER DEFAULT TRUE CONSTRAINT jobs_is_active_boolean CHECK (is_active IN (0, 1)),
    posted_date TEXT DEFAULT CURRENT_DATE
        CONSTRAINT jobs_posted_date_date CHECK (posted_date IS date(posted_date, '+0 days')),
    created_at TEXT DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
        CONSTRAINT jobs_created_at_timestamp CHECK (
            created_at IS strftime('%Y-%m-%d %H:%M:%S', substr(created_at, 1, 19), '+0 days') || substr(created_at, 20)
            AND (length(created_at) = 19
                OR substr(created_at, 20) GLOB '.[0-9]*' AND substr(created_at, 21) NOT GLOB '*[^0-9]*')),
    updated_at TEXT DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
        CONSTRAINT jobs_updated_at_timestamp CHECK (
            updated_at IS strftime('%Y-%m-%d %H:%M:%S', substr(updated_at, 1, 19), '+0 days') || substr(updated_at, 20)
            AND (length(updated_at) = 19
                OR substr(updated_at, 20) GLOB '.[0-9]*' AND substr(updated_at, 21) NOT GLOB '*[^0-9]*')),
    CONSTRAINT check_salary_min_positive CHECK (round(salary_min, 2) >= 0),
    CONSTRAINT check_salary_max_greater_than_min
        CHECK (round(salary_max, 2) >= round(salary_min, 2))
) STRICT;

CREATE TRIGGER jobs_round_on_insert AFTER INSERT ON jobs
WHEN NEW.salary_min <> round(NEW.salary_min, 2) OR NEW.salary_max <> round(NEW.salary_max, 2)
BEGIN
    UPDATE jobs SET salary_min = round(salary_min, 2), salary_max = round(salary_max, 2)
    WHERE id = NEW.id;
END;

CREATE TRIGGER jobs_round_on_update AFTER UPDATE OF salary_min, salary_max ON jobs
WHEN NEW.salary_min <> round(NEW.salary_min, 2) OR NEW.salary_max <> round(NEW.salary_max, 2)
BEGIN
    UPDATE jobs SET salary_min = round(salary_min, 2), salary_max = round(salary_max, 2)
    WHERE id = NEW.id;
END;

CREATE TABLE job_scores (
    id INTEGER PRIMARY KEY CONSTRAINT job_scores_id_integer CHECK (id BETWEEN -2147483648 AND 2147483647),
    user_id INTEGER NOT NULL CONSTRAINT job_scores_user_id_fkey REFERENCES users (id),
    job_id INTEGER NOT NULL CONSTRAINT job_scores_job_id_fkey REFERENCES jobs (id),
    total_score REAL NOT NULL,
    skill_match_score REAL,
    experience_score REAL,
    location_score REAL,
    salary_score REAL,
    culture_fit_score REAL,
    scoring_algorithm_version TEXT DEFAULT '1.0'
        CONSTRAINT job_scores_scoring_algorithm_version_length CHECK (length(scoring_algorithm_version) <= 20),
    scored_at TEXT DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
        CONSTRAINT job_scores_scored_at_timestamp CHECK (
            scored_at IS strftime('%Y-%m-%d %H:%M:%S', substr(scored_at, 1, 19), '+0 days') || substr(scored_at, 20)
            AND (length(scored_at) = 19
                OR substr(scored_at, 20) GLOB '.[0-9]*' AND substr(scored_at, 21) NOT GLOB '*[^0-9]*')),
    created_at TEXT DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
        CONSTRAINT job_scores_created_at_timestamp CHECK (
            created_at IS strftime('%Y-%m-%d %H:%M:%S', substr(created_at, 1, 19), '+0 days') || substr(created_at, 20)
            AND (length(created_at) = 19
                OR substr(created_at, 20) GLOB '.[0-9]*' AND substr(created_at, 21) NOT GLOB '*[^0-9]*')),
    CONSTRAINT check_total_score_range CHECK (total_score >= 0 AND total_score <= 100),
    CONSTRAINT unique_user_job_score UNIQUE (user_id, job_id, scoring_algorithm_version)
) STRICT;

CREATE TABLE matching_results (
    id INTEGER PRIMARY KEY CONSTRAINT matching_results_id_integer CHECK (id BETWEEN -2147483648 AND 2147483647),
    user_id INTEGER NOT NULL CONSTRAINT matching_results_user_id_fkey REFERENCES users (id),
    job_id INTEGER NOT NULL CONSTRAINT matching_results_job_id_fkey REFERENCES jobs (id),
    job_score_id INTEGER NOT NULL CONSTRAINT matching_results_job_score_id_fkey REFERENCES job_scores (id),
    match_status TEXT DEFAULT 'pending'
        CONSTRAINT matching_results_match_status_length CHECK (length(match_status) <= 20),
    recommendation_reason TEXT,
    confidence_level REAL,
    is_viewed INTEGER DEFAULT FALSE CONSTRAINT matching_results_is_viewed_boolean CHECK (is_viewed IN (0, 1)),
    is_applied INTEGER DEFAULT FALSE CONSTRAINT matching_results_is_applied_boolean CHECK (is_applied IN (0, 1)),
    matched_at TEXT DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
        CONSTRAINT matching_results_matched_at_timestamp CHECK (
            matched_at IS strftime('%Y-%m-%d %H:%M:%S', substr(matched_at, 1, 19), '+0 days') || substr(matched_at, 20)
            AND (length(matched_at) = 19
                OR substr(matched_at, 20) GLOB '.[0-9]*' AND substr(matched_at, 21) NOT GLOB '*[^0-9]*')),
    created_at TEXT DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
        CONSTRAINT matching_results_created_at_timestamp CHECK (
            created_at IS strftime('%Y-%m-%d %H:%M:%S', substr(created_at, 1, 19), '+0 days') || substr(created_at, 20)
            AND (length(created_at) = 19
                OR substr(created_at, 20) GLOB '.[0-9]*' AND substr(created_at, 21) NOT GLOB '*[^0-9]*')),
    updated_at TEXT DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
        CONSTRAINT matching_results_updated_at_timestamp CHECK (
            updated_at IS strftime('%Y-%m-%d %H:%M:%S', substr(updated_at, 1, 19), '+0 days') || substr(updated_at, 20)
            AND (length(updated_at) = 19
                OR substr(updated_at, 20) GLOB '.[0-9]*' AND substr(updated_at, 21) NOT GLOB '*[^0-9]*')),
    CONSTRAINT check_confidence_range CHECK (confidence_level >= 0 AND confidence_level <= 1)
) STRICT;

CREATE TABLE email_logs (
    id INTEGER PRIMARY KEY CONSTRAINT email_logs_id_integer CHECK (id BETWEEN -2147483648 AND 2147483647),
    user_id INTEGER CONSTRAINT email_logs_user_id_fkey REFERENCES users (id),
    email_type TEXT NOT NULL
        CONSTRAINT email_logs_email_type_length CHECK (length(email_type) <= 50),
    recipient_email TEXT NOT NULL
        CONSTRAINT email_logs_recipient_email_length CHECK (length(recipient_email) <= 255),
    subject TEXT NOT NULL
        CONSTRAINT email_logs_subject_length CHECK (length(subject) <= 255),
    body TEXT NOT NULL,
    status TEXT DEFAULT 'pending'
        CONSTRAINT email_logs_status_length CHECK (length(status) <= 20),
    sent_at TEXT
        CONSTRAINT email_logs_sent_at_timestamp CHECK (
            sent_at IS strftime('%Y-%m-%d %H:%M:%S', substr(sent_at, 1, 19), '+0 days') || substr(sent_at, 20)
            AND (length(sent_at) = 19
                OR substr(sent_at, 20) GLOB '.[0-9]*' AND substr(sent_at, 21) NOT GLOB '*[^0-9]*')),
    error_message TEXT,
    created_at TEXT DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
        CONSTRAINT email_logs_created_at_timestamp CHECK (
            created_at IS strftime('%Y-%m-%d %H:%M:%S', substr(created_at, 1, 19), '+0 days') || substr(created_at, 20)
            AND (length(created_at) = 19
                OR substr(created_at, 20) GLOB '.[0-9]*' AND substr(created_at, 21) NOT GLOB '*[^0-9]*'))
) STRICT;

CREATE TABLE csv_imports (
    id INTEGER PRIMARY KEY CONSTRAINT csv_imports_id_integer CHECK (id BETWEEN -2147483648 AND 2147483647),
    filename TEXT NOT NULL
        CONSTRAINT csv_imports_filename_length CHECK (length(filename) <= 255),
    file_size INTEGER NOT NULL
        CONSTRAINT csv_imports_file_size_integer CHECK (file_size BETWEEN -2147483648 AND 2147483647),
    file_hash TEXT NOT NULL CONSTRAINT csv_imports_file_hash_key UNIQUE
        CONSTRAINT csv_imports_file_hash_length CHECK (length(file_hash) <= 64),
    import_type TEXT NOT NULL
        CONSTRAINT csv_imports_import_type_length CHECK (length(import_type) <= 50),
    status TEXT DEFAULT 'pending'
        CONSTRAINT csv_imports_status_length CHECK (length(status) <= 20),
    total_rows INTEGER
        CONSTRAINT csv_imports_total_rows_integer CHECK (total_rows BETWEEN -2147483648 AND 2147483647),
    processed_rows INTEGER DEFAULT 0
        CONSTRAINT csv_imports_processed_rows_integer CHECK (processed_rows BETWEEN -2147483648 AND 2147483647),
    success_rows INTEGER DEFAULT 0
        CONSTRAINT csv_imports_success_rows_integer CHECK (success_rows BETWEEN -2147483648 AND 2147483647),
    error_rows INTEGER DEFAULT 0
        CONSTRAINT csv_imports_error_rows_integer CHECK (error_rows BETWEEN -2147483648 AND 2147483647),
    error_details TEXT CONSTRAINT csv_imports_error_details_json CHECK (json_valid(error_details)),
    started_at TEXT
        CONSTRAINT csv_imports_started_at_timestamp CHECK (
            started_at IS strftime('%Y-%m-%d %H:%M:%S', substr(started_at, 1, 19), '+0 days') || substr(started_at, 20)
            AND (length(started_at) = 19
                OR substr(started_at, 20) GLOB '.[0-9]*' AND substr(started_at, 21) NOT GLOB '*[^0-9]*')),
    completed_at TEXT
        CONSTRAINT csv_imports_completed_at_timestamp CHECK (
            completed_at IS strftime('%Y-%m-%d %H:%M:%S', substr(completed_at, 1, 19), '+0 days') || substr(completed_at, 20)
            AND (length(completed_at) = 19
                OR substr(completed_at, 20) GLOB '.[0-9]*' AND substr(completed_at, 21) NOT GLOB '*[^0-9]*')),
    created_at TEXT DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
        CONSTRAINT csv_imports_created_at_timestamp CHECK (
            created_at IS strftime('%Y-%m-%d %H:%M:%S', substr(created_at, 1, 19), '+0 days') || substr(created_at, 20)
            AND (length(created_at) = 19
                OR substr(created_at, 20) GLOB '.[0-9]*' AND substr(created_at, 21) NOT GLOB '*[^0-9]*')),
    CONSTRAINT check_file_size_positive CHECK (file_size > 0)
) STRICT;

-- down
DROP TABLE csv_imports;
DROP TABLE email_logs;
DROP TABLE matching_results;
DROP TABLE job_scores;
DROP TABLE jobs;
DROP TABLE users;
