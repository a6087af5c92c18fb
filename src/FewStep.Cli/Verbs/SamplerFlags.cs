namespace FewStep.Cli.Verbs;

/// <summary><c>--sampler</c>, or <c>--schedule</c> and <c>--steps</c>; with <c>--data</c>, which only optimisers need.</summary>
internal sealed class SamplerFlags(Command command, string also = "")
{
    private readonly Option<string?> _sampler = command.Sampler();
    private readonly Option<bool> _anyModel = command.AnyModel();

    private readonly Option<string?> _schedule = command.Optional<string?>(
        "--schedule", $"In place of --sampler: a *{SamplerFile.Extension} or *{SamplerFile.ScheduleExtension} file or JSON list of sigmas; "
            + $"or one of {string.Join(", ", StandardSchedules.Names)} (karras:5 sets rho); "
            + $"or an optimiser, which searches for it with --data: {string.Join(", ", ScheduleOptimizerCatalog.Names)}.{also}",
                "file or name");

    private readonly Option<int?> _steps = command.Optional<int?>("--steps", "Number of solver steps; a file has its own.");
    private readonly Option<string> _data = command.Data();

    /// <summary>The options without <c>--data</c>.</summary>
    public IEnumerable<Option> All => [_sampler, _anyModel, _schedule, _steps];

    public Option<string> Data => _data;

    /// <summary>The text of <c>--schedule</c>; null where it was left out.</summary>
    public string? Schedule(ParseResult parsed) => parsed.GetValue(_schedule);

    public int? Steps(ParseResult parsed) => parsed.GetValue(_steps);

    /// <summary>The text of <c>--sampler</c>; null where it was left out.</summary>
    public string? Text(ParseResult parsed) => parsed.GetValue(_sampler);

    public bool IsSamplerGiven(ParseResult parsed) => parsed.GetValue(_sampler) is not null;

    /// <summary>What was chosen; null where neither <c>--sampler</c> nor <c>--schedule</c> nor <c>--steps</c> is given.</summary>
    public SamplerChoice? Read(ParseResult parsed, ISolver? solver)
    {
        var (sampler, schedule, steps) = (parsed.GetValue(_sampler), parsed.GetValue(_schedule), parsed.GetValue(_steps));
        if (sampler is not null)
        {
            var choice = schedule is null && steps is null && solver is null
                ? SamplerChoice.Parse(sampler)
                : throw new InvalidInputException(
                    "--sampler says schedule, solver and steps; leave --schedule, --steps and --solver out, or --sampler.");
            return parsed.GetValue(_anyModel) ? choice.ForAnyModel() : choice;
        }

        return schedule is null && steps is null ? null : Read(schedule ?? StandardSchedules.Usual.Name, solver, steps);
    }

    /// <summary>A schedule with its solver and steps.</summary>
    public static SamplerChoice Read(string schedule, ISolver? solver, int? steps)
    {
        var choice = ScheduleChoice.Parse(schedule);
        return choice is not ScheduleChoice.Given && steps is null
            ? throw new InvalidInputException($"Schedule {choice.Name} needs a number of steps: add e.g. --steps 4.")
            : SamplerChoice.Of(choice, solver, steps);
    }

    /// <summary>The sampler of a choice, searched for in <c>--data</c> where that is needed.</summary>
    public Sampler Make(ParseResult parsed, Model model, SamplerChoice choice, string usual, long seed, TerminalOutput terminal,
        CancellationToken cancellation)
    {
        using var images = new DelayedImages(parsed, _data, model, seed, terminal, cancellation);
        return model.Make(
            choice, SolverCatalog.Find(usual), () => images.Value, new FindOptions { Seed = seed }, terminal.Progress, cancellation);
    }
}
