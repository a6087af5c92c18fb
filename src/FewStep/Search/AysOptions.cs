namespace FewStep.Search;

internal sealed record AysOptions
{
    /// <summary>Images whose forward noise the bound is averaged over, at least 2; default 128.</summary>
    public int Images { get; init; } = 128;

    /// <summary>Noise levels of the log-spaced grid, 16 to 512; default 128. An image costs as many evaluations. Nodes lie on it, and the
    /// bound's integrals use it.</summary>
    public int Points { get; init; } = 128;

    /// <summary>Candidates tried for a node in a sweep, evenly spread in ln sigma between its neighbours, at least 3; default 11, the
    /// paper's.</summary>
    public int Candidates { get; init; } = 11;

    /// <summary>Most sweeps over the nodes, 0 or more; default 100.</summary>
    public int MaximumSweeps { get; init; } = 100;

    /// <summary>
    /// Sweeps without better samples, judged after each node's move, after which the search stops and the schedule of the best is taken, 1
    /// or more; default 3. Null goes on to the bound's minimum, which the paper found to be worse than stopping early.
    /// </summary>
    public int? Patience { get; init; } = 3;

    /// <summary>Latents by which samples are judged for <see cref="Patience"/>: mean-square distance of Euler's endpoint to a fine
    /// teacher's; at least 2, default 32.</summary>
    public int JudgeLatents { get; init; } = 32;

    /// <summary>Heun steps of that teacher, and of the one that makes images where there are none, at least 2; default 40.</summary>
    public int TeacherSteps { get; init; } = 40;

    public void Validate() =>
        new OptionRules("Align Your Steps cannot search")
            .Require(Images >= 2 && JudgeLatents >= 2,
                $"there must be at least 2 images and 2 latents to judge by, not {Images} and {JudgeLatents}")
            .Require(Points is >= 16 and <= 512, $"the grid must have 16 to 512 points, not {Points}")
            .Require(Candidates >= 3, $"there must be at least 3 candidates, not {Candidates}")
            .Require(MaximumSweeps >= 0 && Patience is null or >= 1,
                $"sweeps must be at least 0 and the patience at least 1, not {MaximumSweeps} and {Patience}")
            .Require(TeacherSteps is >= 2 and <= 10_000, $"the teacher's steps must be 2 to 10000, not {TeacherSteps}")
            .Check();
}
