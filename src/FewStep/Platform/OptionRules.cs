namespace FewStep.Platform;

/// <summary>Collects which rules a set of options breaks, so that one message names them all.</summary>
/// <param name="subject">Begins the message, e.g. <c>The training options are invalid</c>.</param>
public sealed class OptionRules(string subject)
{
    private readonly List<string> _broken = [];

    /// <summary>Notes a rule that does not hold.</summary>
    /// <param name="holds">Whether it does.</param>
    /// <param name="rule">The rule with the offending value; numbers are written invariantly.</param>
    /// <returns>This object.</returns>
    public OptionRules Require(bool holds, InvariantText rule)
    {
        if (!holds)
        {
            _broken.Add(rule.ToString());
        }

        return this;
    }

    /// <summary>Ends the check.</summary>
    /// <exception cref="InvalidInputException">A rule is broken.</exception>
    public void Check()
    {
        if (_broken.Count > 0)
        {
            throw new InvalidInputException($"{subject}: {string.Join("; ", _broken)}.");
        }
    }
}
