//! References to secrets.

use super::variable;

#[test]
fn a_reference_names_one_variable() {
    assert_eq!(variable("${env.BACKUP_KEY}"), Some("BACKUP_KEY"));
    for none in ["BACKUP_KEY", "${env.}", "${var.X}", "${env.X} ", "x${env.X}", "${env.X}${env.Y}", "hunter2", ""] {
        assert_eq!(variable(none), None, "{none}");
    }
}
