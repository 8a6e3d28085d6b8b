"""Whether a change is more than noise: exact tests of counts, and process limits of a course."""
