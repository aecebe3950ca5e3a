-- The best scored active jobs of each active user in a range of ids. Where several versions
-- of the algorithm scored the same job for the same user, the highest score counts; of two
-- jobs with the same score, the one scored first comes first. A job that was recommended to
-- the user before takes its place and is not recommended again.
SELECT score_id, user_id, job_id, total_score, skill_match_score, experience_score,
       location_score, salary_score, culture_fit_score
FROM (
    SELECT best.*, row_number() OVER (
        PARTITION BY user_id ORDER BY total_score DESC, score_id
    ) AS place
    FROM (
        SELECT s.id AS score_id, s.user_id, s.job_id, s.total_score, s.skill_match_score,
               s.experience_score, s.location_score, s.salary_score, s.culture_fit_score,
               row_number() OVER (
                   PARTITION BY s.user_id, s.job_id ORDER BY s.total_score DESC, s.id
               ) AS version_place
        FROM job_scores s
        JOIN users u ON u.id = s.user_id
        JOIN jobs j ON j.id = s.job_id
        WHERE u.is_active AND j.is_active
          AND s.total_score >= $1 AND s.user_id BETWEEN $2 AND $3
    ) AS best
    WHERE version_place = 1
) AS ranked
WHERE place <= $4
  AND NOT EXISTS (
      SELECT 1 FROM matching_results m
      WHERE m.user_id = ranked.user_id AND m.job_id = ranked.job_id
  )
ORDER BY user_id, place
