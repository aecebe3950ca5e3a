-- The pending matches of active users that no e-mail has told of.
SELECT m.user_id, u.email, u.full_name, j.title, j.company_name, m.recommendation_reason
FROM matching_results m
JOIN users u ON u.id = m.user_id
JOIN jobs j ON j.id = m.job_id
JOIN job_scores s ON s.id = m.job_score_id
WHERE m.match_status = 'pending' AND u.is_active AND m.user_id BETWEEN $1 AND $2
  AND NOT EXISTS (
      SELECT 1 FROM email_logs e
      WHERE e.user_id = m.user_id AND e.email_type = $3 AND e.created_at >= m.matched_at
  )
ORDER BY m.user_id, s.total_score DESC, m.id
