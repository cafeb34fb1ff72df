"""Any site: one that is served for each episode anew, tasks on it, and a verdict on what its server holds afterwards."""
