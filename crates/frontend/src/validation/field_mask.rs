//! Paths of field masks.

/// A path with its names in snake case: clients send either (`startToCloseTimeout`).
pub(crate) fn snake_case(path: &str) -> String {
    let mut snake = String::with_capacity(path.len() + 4);
    for letter in path.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_in_snake_case() {
        assert_eq!(snake_case("taskQueue.name"), "task_queue.name");
        assert_eq!(snake_case("retry_policy.maximum_attempts"), "retry_policy.maximum_attempts");
    }
}
