"""Reading what others recorded: tables, labels, films, shards, cards. No torch."""
