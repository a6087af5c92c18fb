namespace FewStep.Networks;

/// <summary>Turns prompts into what a network is told: tokenizer and text encoders. Thread-safe.</summary>
internal interface IPromptEncoder
{
    /// <summary>SHA-256 of all that determines what it computes, in lower-case hexadecimal.</summary>
    string Hash { get; }

    /// <summary>Encodes prompts of one call.</summary>
    /// <returns>A condition of as many rows as there are prompts, float32, on any device; every prompt gives rows of one shape. Its
    /// tensors belong to the current dispose scope.</returns>
    NetworkCondition Encode(IReadOnlyList<string> prompts);
}
