GRANT UPDATE (id, note) ON other.t TO "{unique}_r";
