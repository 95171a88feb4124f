"""Where answers come from that a student learns from: one teacher, several, or stored outputs."""
