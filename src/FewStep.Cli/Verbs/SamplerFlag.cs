using System.CommandLine;
using FewStep.Platform;
using FewStep.Search;

namespace FewStep.Cli.Verbs;

/// <summary>The option <c>--sampler</c>: a sampler's file, or schedule, solver and steps in short.</summary>
internal sealed class SamplerFlag
{
    public const string Name = "--sampler";

    /// <param name="many">Whether it may be repeated.</param>
    public SamplerFlag(bool many = false) => Option = new Option<string[]>(Name)
    {
        Description = $"A sampler: a file (*.sampler.json), or in short schedule/solver/steps, e.g. karras/ipndm:3/6.{(many ? " May be repeated." : "")}",
        HelpName = "file or short form",
        Arity = many ? ArgumentArity.OneOrMore : ArgumentArity.ExactlyOne,
        AllowMultipleArgumentsPerToken = false,
    };

    public Option<string[]> Option { get; }

    public bool IsGiven(ParseResult parsed) => parsed.GetResult(Option) is { Implicit: false };

    /// <summary>What was given; empty for nothing.</summary>
    /// <exception cref="InvalidInputException">A value is no sampler.</exception>
    public IReadOnlyList<SamplerChoice> Read(ParseResult parsed) => [.. (parsed.GetValue(Option) ?? []).Select(SamplerChoice.Parse)];
}
