using FewStep.Fitting;

namespace FewStep.Cli.Verbs;

/// <summary>How a solver's weights are fitted.</summary>
internal sealed class FitFlags
{
    private static readonly FitOptions Default = new();

    private readonly Option<string> _solver = Flag.Of("--solver", "Solver whose steps are corrected.", Default.Solver,
        parse: text => SolverCatalog.Find(text).Name);

    private readonly Option<FitCorrections> _corrections = Flag.Of("--corrections", "What may be added to its steps: differences (of "
        + "outputs), slope (x - D), scale (x), separated by commas, or none.", Default.Corrections, "list", Corrections);

    private readonly Option<int?> _order = Flag.Optional<int?>(
        "--order", "How many outputs the differences reach over; left out, all of the run's.");
    private readonly Option<int> _latents = Flag.Of("--latents", "Latents that the weights are fitted on.", Default.Latents);
    private readonly Option<int> _heldOut = Flag.Of("--held-out", "Further latents that judge them.", Default.HeldOutLatents);
    private readonly Option<string> _teacher = Flag.Of("--teacher-solver", "Solver of the fine teacher.", Default.TeacherSolver,
        parse: text => SolverCatalog.Find(text).Name);
    private readonly Option<int> _teacherSteps = Flag.Of("--teacher-steps", "Its steps.",
        Default.TeacherSteps);
    private readonly Option<double> _ridge = Flag.Of("--ridge", "Ridge of the least squares, relative to each correction's size.", Default.Ridge);
    private readonly Option<int> _refine = Flag.Of("--refine", "Most iterations of the joint refinement of sigmas, told noise levels and "
        + "weights; 0 for none.", Default.RefineIterations);
    private readonly Option<int> _batch = Flag.Of("--batch", "Latents in one evaluation.", Default.BatchSize);

    public IEnumerable<Option> All => [_solver, _corrections, _order, _latents, _heldOut, _teacher, _teacherSteps, _ridge, _refine, _batch];

    public FitOptions Read(ParseResult parsed) => new()
    {
        Solver = parsed.GetRequiredValue(_solver),
        Corrections = parsed.GetValue(_corrections),
        Order = parsed.GetValue(_order),
        Latents = parsed.GetValue(_latents),
        HeldOutLatents = parsed.GetValue(_heldOut),
        TeacherSolver = parsed.GetRequiredValue(_teacher),
        TeacherSteps = parsed.GetValue(_teacherSteps),
        Ridge = parsed.GetValue(_ridge),
        RefineIterations = parsed.GetValue(_refine),
        BatchSize = parsed.GetValue(_batch),
    };

    private static FitCorrections Corrections(string text) => text.Split(',', StringSplitOptions.TrimEntries).Aggregate(
        FitCorrections.None, (all, word) => all | word switch
        {
            "differences" => FitCorrections.Differences,
            "slope" => FitCorrections.Slope,
            "scale" => FitCorrections.Scale,
            "none" => FitCorrections.None,
            _ => throw new InvalidInputException($"--corrections '{word}' is none of differences, slope, scale, none."),
        });
}
