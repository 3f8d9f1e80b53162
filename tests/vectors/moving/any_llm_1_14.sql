-- Written by any-llm-gateway 1.14 itself (any-llm-sdk[gateway]==1.14.0) into SQLite, through its own API.
-- The keys are in any_llm_1_14_keys.json.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO alembic_version VALUES('967575f779b7');
CREATE TABLE budgets (
	budget_id VARCHAR NOT NULL, 
	max_budget FLOAT, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, budget_duration_sec INTEGER, 
	PRIMARY KEY (budget_id)
);
INSERT INTO budgets VALUES('99280322-3389-4adf-b02b-407997ca83ae',0.0010000000000000000208,'2026-11-25 09:47:06.190558','2026-11-25 09:47:06.190565',2592000);
INSERT INTO budgets VALUES('87fe7fdf-9245-44a2-b710-47f8e6a2f78c',NULL,'2026-11-25 09:47:06.231616','2026-11-25 09:47:06.231624',NULL);
CREATE TABLE model_pricing (
	model_key VARCHAR NOT NULL, 
	input_price_per_million FLOAT NOT NULL, 
	output_price_per_million FLOAT NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	PRIMARY KEY (model_key)
);
INSERT INTO model_pricing VALUES('openai:fake',2.5,10.0,'2026-11-25 09:47:06.538501','2026-11-25 09:47:06.538507');
INSERT INTO model_pricing VALUES('openrouter:meta/llama',0.10000000000000000555,0.2000000000000000111,'2026-11-25 09:47:06.608255','2026-11-25 09:47:06.608261');
CREATE TABLE users (
	user_id VARCHAR NOT NULL, 
	alias VARCHAR, 
	spend FLOAT NOT NULL, 
	budget_id VARCHAR, 
	blocked BOOLEAN NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	metadata JSON NOT NULL, budget_started_at DATETIME, next_budget_reset_at DATETIME, deleted_at DATETIME, 
	PRIMARY KEY (user_id), 
	FOREIGN KEY(budget_id) REFERENCES budgets (budget_id)
);
INSERT INTO users VALUES('alice','Alice',0.00060000000000000005585,'99280322-3389-4adf-b02b-407997ca83ae',0,'2026-11-25 09:47:06.282222','2026-11-25 09:47:06.627255','{"team": "search"}','2026-11-25 09:47:06.272929','2026-12-25 09:47:06.272929',NULL);
INSERT INTO users VALUES('bob',NULL,2.5,'87fe7fdf-9245-44a2-b710-47f8e6a2f78c',1,'2026-11-25 09:47:06.329710','2026-11-25 09:47:06.627262','{}','2026-11-25 09:47:06.329174',NULL,NULL);
INSERT INTO users VALUES('carol',NULL,0.0,NULL,0,'2026-11-25 09:47:06.347396','2026-11-25 09:47:06.489018','{}',NULL,NULL,'2026-11-25 09:47:06.486883');
INSERT INTO users VALUES('apikey-79619b1b-1bbf-4f70-b2cc-e586c659d431','Virtual user for API key: lone',0.0,NULL,0,'2026-11-25 09:47:06.425200','2026-11-25 09:47:06.425207','{}',NULL,NULL,NULL);
CREATE TABLE api_keys (
	id VARCHAR NOT NULL, 
	key_hash VARCHAR NOT NULL, 
	key_name VARCHAR, 
	user_id VARCHAR, 
	created_at DATETIME NOT NULL, 
	last_used_at DATETIME, 
	expires_at DATETIME, 
	is_active BOOLEAN NOT NULL, 
	metadata JSON NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(user_id) REFERENCES users (user_id), 
	UNIQUE (key_hash)
);
INSERT INTO api_keys VALUES('d90fe608-92e8-4edf-b63c-94787f6bfcea','1a1c33a5759e48dc1c99670571f1e40f6702abc1d89a923650383f41589e881f','laptop','alice','2026-11-25 09:47:06.371346',NULL,NULL,1,'{"host": "a1"}');
INSERT INTO api_keys VALUES('4d399231-cbfa-4462-8161-81617353663a','699976418f5e1198bc5711a8e932b575d624e1a4e15d460e25da8fb81e4231fd','bob''s','bob','2026-11-25 09:47:06.395266',NULL,'2099-01-01 00:00:00.000000',1,'{}');
INSERT INTO api_keys VALUES('79619b1b-1bbf-4f70-b2cc-e586c659d431','fa51d9c8a6796bfc908e5c6ea1a93ee85993568c7b0a7d52679c7ff82a62bb66','lone','apikey-79619b1b-1bbf-4f70-b2cc-e586c659d431','2026-11-25 09:47:06.425824',NULL,NULL,1,'{}');
INSERT INTO api_keys VALUES('8ba7820c-6030-44e3-91ac-fa6c677e31e1','d5f64639c5df4ea0c26aef74c93f1c2d7dee490db1921eb9dc002b51c03fad6c',NULL,'carol','2026-11-25 09:47:06.444147',NULL,NULL,0,'{}');
CREATE TABLE usage_logs (
	id VARCHAR NOT NULL, 
	api_key_id VARCHAR, 
	user_id VARCHAR, 
	timestamp DATETIME NOT NULL, 
	model VARCHAR NOT NULL, 
	provider VARCHAR, 
	endpoint VARCHAR NOT NULL, 
	prompt_tokens INTEGER, 
	completion_tokens INTEGER, 
	total_tokens INTEGER, 
	cost FLOAT, 
	status VARCHAR NOT NULL, 
	error_message VARCHAR, 
	PRIMARY KEY (id), 
	FOREIGN KEY(api_key_id) REFERENCES api_keys (id), 
	FOREIGN KEY(user_id) REFERENCES users (user_id)
);
INSERT INTO usage_logs VALUES('0ff26c29-82cc-415d-b6b4-b555e8a5ac2d','d90fe608-92e8-4edf-b63c-94787f6bfcea','alice','2026-11-25 09:47:06.629428','gpt-4o-mini','openai','/v1/chat/completions',1,1,2,NULL,'success',NULL);
INSERT INTO usage_logs VALUES('f6710f7c-fc87-4615-8854-fbf1582707ae','d90fe608-92e8-4edf-b63c-94787f6bfcea','alice','2026-11-25 09:47:06.629442','gpt-0','openai','/v1/chat/completions',1,1,2,NULL,'success',NULL);
CREATE TABLE budget_reset_logs (
	id INTEGER NOT NULL, 
	user_id VARCHAR NOT NULL, 
	budget_id VARCHAR NOT NULL, 
	previous_spend FLOAT NOT NULL, 
	reset_at DATETIME NOT NULL, 
	next_reset_at DATETIME, 
	PRIMARY KEY (id), 
	FOREIGN KEY(user_id) REFERENCES users (user_id), 
	FOREIGN KEY(budget_id) REFERENCES budgets (budget_id)
);
CREATE UNIQUE INDEX ix_api_keys_key_hash ON api_keys (key_hash);
CREATE INDEX ix_api_keys_user_id ON api_keys (user_id);
CREATE INDEX ix_usage_logs_api_key_id ON usage_logs (api_key_id);
CREATE INDEX ix_usage_logs_timestamp ON usage_logs (timestamp);
CREATE INDEX ix_usage_logs_user_id ON usage_logs (user_id);
CREATE INDEX ix_budget_reset_logs_user_id ON budget_reset_logs (user_id);
CREATE INDEX ix_users_deleted_at ON users (deleted_at);
CREATE INDEX ix_usage_logs_user_id_timestamp ON usage_logs (user_id, timestamp);
COMMIT;
