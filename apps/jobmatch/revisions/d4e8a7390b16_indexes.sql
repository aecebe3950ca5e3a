-- revision: d4e8a7390b16
-- parents: 6b1f0c52d7a3
-- message: add the indexes

-- up
CREATE INDEX idx_users_email ON users (email);
CREATE INDEX idx_jobs_company_active ON jobs (company_name, is_active);
CREATE INDEX idx_jobs_location_industry ON jobs (location, industry);
CREATE INDEX idx_job_scores_user_job ON job_scores (user_id, job_id);
CREATE INDEX idx_job_scores_total_score ON job_scores (total_score);
CREATE INDEX idx_matching_results_user ON matching_results (user_id);
CREATE INDEX idx_matching_results_status ON matching_results (match_status);
CREATE INDEX idx_email_logs_status ON email_logs (status);
CREATE INDEX idx_email_logs_type ON email_logs (email_type);
CREATE INDEX idx_csv_imports_status ON csv_imports (status);
CREATE INDEX idx_csv_imports_type ON csv_imports (import_type);

-- down
DROP INDEX idx_csv_imports_type;
DROP INDEX idx_csv_imports_status;
DROP INDEX idx_email_logs_type;
DROP INDEX idx_email_logs_status;
DROP INDEX idx_matching_results_status;
DROP INDEX idx_matching_results_user;
DROP INDEX idx_job_scores_total_score;
DROP INDEX idx_job_scores_user_job;
DROP INDEX idx_jobs_location_industry;
DROP INDEX idx_jobs_company_active;
DROP INDEX idx_users_email;
