//! How a value of type Text is split.

/// The words of a text: runs of letters and digits, in lower case. A query on a Text attribute
/// matches when the attribute has one of the query's words.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn words_are_runs_of_letters_and_digits_in_lower_case() {
        let found: Vec<String> = words("The quick, Brown-fox: É42!").collect();
        assert_eq!(found, ["the", "quick", "brown", "fox", "é42"]);
        assert_eq!(words(" -!? ").count(), 0);
    }
}
