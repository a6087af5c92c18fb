namespace FewStep.Platform;

/// <summary>Collects which rules a set of options breaks, so that one message names them all.</summary>
internal sealed class OptionRules(string subject)
{
    private readonly List<string> _broken = [];

    public OptionRules Require(bool holds, InvariantText rule)
    {
        if (!holds)
            _broken.Add(rule.ToString());
        return this;
    }

    public void Check() => Check(this);

    /// <returns>The options that the rules are about.</returns>
    public T Check<T>(T options)
        => _broken.Count == 0 ? options : throw new InvalidInputException($"{subject}: {string.Join("; ", _broken)}.");
}
