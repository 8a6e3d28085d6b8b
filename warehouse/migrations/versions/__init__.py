"""One file a revision, numbered: a greater number is a newer one."""
