using FewStep.Fitting;

namespace FewStep.Cli.Verbs;

/// <summary>How a solver's weights are fitted.</summary>
internal sealed class FitFlags(Command command)
{
    private static readonly FitOptions Default = new();

    private readonly Option<string> _solver = command.Option(
        "--solver", "Solver whose steps are corrected.", Default.Solver, parse: text => SolverCatalog.Find(text).Name);

    private readonly Option<FitCorrections> _corrections = command.Option(
        "--corrections", "What may be added to its steps: differences (of "
        + "successive outputs), slope (x - D), scale (x), separated by commas, or none.", Default.Corrections, "list", Corrections);

    private readonly Option<int> _order = command.Option("--order", "How many outputs the differences reach over.", Default.Order);

    private readonly Option<int> _latents = command.Option("--latents", "Latents that the weights are fitted on.", Default.Latents);
    private readonly Option<int> _heldOut = command.Option("--held-out", "Further latents that judge them.", Default.HeldOutLatents);
    private readonly Option<string> _teacher = command.Option(
        "--teacher-solver", "Solver of the fine teacher.", Default.TeacherSolver, parse: text => SolverCatalog.Find(text).Name);

    private readonly Option<int> _teacherSteps = command.Option("--teacher-steps", "Its steps.", Default.TeacherSteps);
    private readonly Option<double> _ridge = command.Option(
        "--ridge", "Ridge of the least squares, relative to each correction's own size.", Default.Ridge);

    private readonly Option<bool> _keep = command.Option("--keep-mean-square",
        "Let steps keep the mean square of the teacher's state, which least squares alone make smaller.", Default.KeepMeanSquare);

    private readonly Option<int> _refine = command.Option("--refine", "Most iterations of the joint refinement of inner sigmas, told noise "
        + "levels and weights; each takes some ten times the evaluations of a fit. 0 for none.", Default.RefineIterations);

    private readonly Option<string?> _distance = command.Optional<string?>("--distance",
        $"Where the refinement compares images: {ImageEmbeddings.Known}. Left out, encoder, and pixels for a model without.", "distance");

    private readonly Option<int> _batch = command.Option("--batch", "Latents in one evaluation.", Default.BatchSize);

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
        KeepMeanSquare = parsed.GetValue(_keep),
        RefineIterations = parsed.GetValue(_refine),
        Distance = parsed.GetValue(_distance),
        BatchSize = parsed.GetValue(_batch),
    };

    private static FitCorrections Corrections(string text) => text == "none" ? FitCorrections.None
        : text.Split(',', StringSplitOptions.TrimEntries).Aggregate(FitCorrections.None, (all, word) => all | word switch
        {
            "differences" => FitCorrections.Differences,
            "slope" => FitCorrections.Slope,
            "scale" => FitCorrections.Scale,
            "none" => throw new InvalidInputException("--corrections none stands alone."),
            _ => throw new InvalidInputException($"--corrections '{word}' is none of differences, slope, scale, none."),
        });
}
