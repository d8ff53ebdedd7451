DROP INDEX audit_events_actor_id;
DROP TABLE leases;
DROP TABLE hourly_counts;
DROP TABLE outbox;
DROP TABLE one_time_tokens;
