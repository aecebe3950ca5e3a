-- Counts and averages of the whole database.
SELECT
    (SELECT count(*) FROM users) AS users,
    (SELECT count(*) FROM users WHERE is_active) AS active_users,
    (SELECT count(*) FROM jobs) AS jobs,
    (SELECT count(*) FROM jobs WHERE is_active) AS active_jobs,
    (SELECT count(*) FROM job_scores) AS scores,
    (SELECT avg(total_score) FROM job_scores) AS average_score,
    (SELECT count(*) FROM matching_results) AS matches,
    (SELECT count(*) FROM matching_results WHERE match_status = 'pending') AS pending_matches,
    (SELECT avg(confidence_level) FROM matching_results) AS average_confidence,
    (SELECT count(*) FROM email_logs WHERE status = 'pending') AS pending_emails,
    (SELECT count(*) FROM email_logs WHERE status = 'sent') AS sent_emails,
    (SELECT count(*) FROM email_logs WHERE status = 'failed') AS failed_emails,
    (SELECT count(*) FROM csv_imports WHERE status = 'completed') AS imports,
    (SELECT coalesce(sum(success_rows), 0) FROM csv_imports) AS imported_rows,
    (SELECT coalesce(sum(error_rows), 0) FROM csv_imports) AS bad_rows
