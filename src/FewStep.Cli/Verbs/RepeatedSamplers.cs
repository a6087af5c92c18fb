namespace FewStep.Cli.Verbs;

/// <summary>The option <c>--sampler</c> of verbs that measure several.</summary>
internal sealed class RepeatedSamplers
{
    public RepeatedSamplers()
    {
        var single = SharedOptions.Sampler();
        Option = Flag.Optional<string[]>(single.Name, $"{single.Description} May be repeated.", single.HelpName);
    }

    public Option<string[]> Option { get; }

    public bool IsGiven(ParseResult parsed) => parsed.GetResult(Option) is { Implicit: false };

    public IReadOnlyList<SamplerChoice> Read(ParseResult parsed) => [.. (parsed.GetValue(Option) ?? []).Select(SamplerChoice.Parse)];
}
