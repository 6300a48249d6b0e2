"""Acts: the clock, the database, the network and the process; decides nothing."""
