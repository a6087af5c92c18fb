using FewStep.Sampling;
using FewStep.Solvers;
using MathNet.Numerics.LinearAlgebra;

namespace FewStep.Fitting;

/// <summary>Refines a fitted sampler on what its images are: inner sigmas, the noise levels that the network is told, and all weights
/// together, by Levenberg and Marquardt's method.</summary>
/// <remarks>
/// Derivatives are central differences, so any denoiser will do. A value that changes nothing before step i is probed from there on, with
/// the run up to there kept. A step is taken only where the distance falls on the latents fitted on and on those held out.
/// </remarks>
/// <param name="denoiser">Who steps. The distance must evaluate by it too, or its evaluations are not counted.</param>
/// <param name="solver">The base of the fitted solvers.</param>
/// <param name="kinds">The corrections that are moved.</param>
internal sealed class JointRefinement(
    CountingDenoiser denoiser, ISolver solver, FitCorrections kinds, FitLatents latents, IImageDistance distance)
{
    private const double Probe = 0.04; // far above what the network's rounding moves
    private const double LeastGain = 0.005;
    private const double FirstDamping = 0.01;
    private const int Attempts = 6;

    /// <summary>Refines as long as an iteration lowers the held-out distance by half a percent, or as often as is allowed.</summary>
    /// <param name="most">Most iterations.</param>
    /// <param name="kept">Where each iteration is kept, and gone on with; null (default) for nowhere.</param>
    /// <returns>The sampler, and how often it was improved; the start where nothing was better.</returns>
    public RefinedSolver Refine(SamplingSchedule schedule, FittedSolver start, int most, IProgress<WorkProgress>? progress,
        CancellationToken cancellation, RefinementFile? kept = null)
    {
        var (sitting, before) = (Stopwatch.StartNew(), denoiser.Images);
        var earlier = kept?.Read(solver, schedule);
        var state = earlier ?? Begun();
        while (!state.IsFinished && state.Found.Iterations < most)
        {
            state = Counted(Next(state, most, progress, cancellation));
            kept?.Write(state);
        }

        return Counted(state).Found;

        RefinementState Begun()
        {
            var first = distance.Value(start, schedule, cancellation);
            return double.IsFinite(first.Fitted + first.HeldOut)
                ? new RefinementState(new RefinedSolver(schedule, start, 0, first, first, 0, 0), FirstDamping, false)
                : throw new InvalidInputException(
                    $"The sampler of {schedule.Steps} steps makes images that are not finite: there is nothing to refine.");
        }

        RefinementState Counted(RefinementState reached) => reached with
        {
            Found = reached.Found with
            {
                Evaluations = (earlier?.Found.Evaluations ?? 0) + denoiser.Images - before,
                Seconds = (earlier?.Found.Seconds ?? 0) + sitting.Elapsed.TotalSeconds,
            },
        };
    }

    private RefinementState Next(RefinementState state, int most, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var (current, damping) = (state.Found, state.Damping);
        var parameters = new FitParameters(current.Schedule, current.Solver.Corrections, kinds);
        int done = current.Iterations * latents.FittedBatches;
        var (normal, gradient) = Normal(
            parameters, current.Schedule, current.Solver, batch => Report(done + batch + 1, current.After.HeldOut), cancellation);
        RefinedSolver? better = null;
        for (int attempt = 0; attempt < Attempts && better is null; attempt++, damping *= 8)
        {
            double[] step = Step(normal, gradient, damping);
            if (parameters.Solver(solver, [.. parameters.Values.Zip(step, (v, s) => v + s)], out var moved) is { } candidate)
            {
                var reached = distance.Value(candidate, moved, cancellation);
                if (reached.Fitted < current.After.Fitted && reached.HeldOut < current.After.HeldOut)
                {
                    better = current with
                    { Schedule = moved, Solver = candidate, Iterations = current.Iterations + 1, After = reached };
                }
            }
        }

        if (better is null)
            return state with { IsFinished = true };
        Report(done + latents.FittedBatches, better.After.HeldOut);
        double gain = 1 - (better.After.HeldOut / current.After.HeldOut);
        return new RefinementState(better, Math.Max(damping / 64, 1e-6), gain < LeastGain);

        void Report(int finished, double heldOut) => progress?.Report(new WorkProgress(
            InvariantText.Of($"refining, N = {current.Schedule.Steps}"), finished, (long)most * latents.FittedBatches, "batches",
            $"held-out {distance.Describe(heldOut)}"));
    }

    // Curvature and gradient of the distance, over all latents fitted on.
    private (Matrix<double> Normal, Vector<double> Gradient) Normal(
        FitParameters parameters, SamplingSchedule schedule, FittedSolver current, Action<int> finished, CancellationToken cancellation)
    {
        using var equations = distance.Equations();
        foreach (int b in latents.Batches.Take(latents.FittedBatches))
        {
            using var scope = NewDisposeScope();
            List<Point> path = [];
            var end = Roll(schedule, current, b, new(0, latents.Noise(b).Times(schedule.Sigmas[0]), null, []), cancellation, path);
            var columns = new Tensor[parameters.Values.Length];
            for (int k = 0; k < columns.Length; k++)
            {
                using var one = NewDisposeScope();
                columns[k] = (distance.Embed(Moved(k, Probe)) - distance.Embed(Moved(k, -Probe))).Over_(2 * Probe)
                    .MoveToOuterDisposeScope();
            }

            equations.Add(b, stack(columns, 1), distance.Embed(end));
            finished(b);

            Tensor Moved(int k, double by)
            {
                double[] values = [.. parameters.Values];
                values[k] += by;
                // Where sigmas would change places there is no such sampler; the derivative is then one-sided, and half as large.
                if (parameters.Solver(solver, values, out var other) is not { } probe)
                    return end;
                using var one = NewDisposeScope();
                var start = path[parameters.Steps[k]];
                return Roll(other, probe, b, parameters.ChangesOutput[k] ? start with { Output = null } : start, cancellation)
                    .MoveToOuterDisposeScope();
            }
        }

        return equations.Finish();
    }

    private static double[] Step(Matrix<double> normal, Vector<double> gradient, double damping)
    {
        var damped = normal.Clone();
        double floor = 1e-9 * normal.Diagonal().Maximum();
        for (int k = 0; k < gradient.Count; k++)
            damped[k, k] += (damping * normal[k, k]) + floor;
        return [.. damped.Svd().Solve(-gradient)];
    }

    // From some point of a run to its end; the points that it passes are kept where somebody wants them.
    private Tensor Roll(
        SamplingSchedule schedule, FittedSolver sampler, int batch, Point start, CancellationToken cancellation, List<Point>? path = null)
    {
        cancellation.ThrowIfCancellationRequested();
        var (x, history) = (start.State, start.History);
        var labels = latents.Labels(batch);
        Tensor Denoise(Tensor y, double sigma) => DynamicThreshold.For(sampler, denoiser.DenoiseAt(y, sigma, labels));
        for (int i = start.Step; i < schedule.Steps; i++)
        {
            var D = i == start.Step && start.Output is not null ? start.Output : Denoise(x, sampler.NoiseLevel(schedule, i));
            path?.Add(new Point(i, x, D, history));
            var step = new SolverStep(schedule, i, x, D, history, Denoise);
            var result = sampler.Step(step);
            history = [result.Past(step), .. history];
            x = result.Next;
        }

        return schedule.Terminal == ScheduleTerminal.Zero ? denoiser.DenoiseAt(x, schedule.Sigmas[^1], labels) : x;
    }

    // A run at the start of a step; the history is the newest first.
    private sealed record Point(int Step, Tensor State, Tensor? Output, IReadOnlyList<PastStep> History);
}

/// <summary>What a refinement made of a sampler.</summary>
/// <param name="Iterations">How often it was improved.</param>
/// <param name="Before">The distance of the start, on the latents fitted on and on those held out.</param>
/// <param name="After">The same of what it became.</param>
/// <param name="Evaluations">Network evaluations that it took, in all sittings; what an interruption lost is not counted.</param>
/// <param name="Seconds">Their time.</param>
internal sealed record RefinedSolver(SamplingSchedule Schedule, FittedSolver Solver, int Iterations, (double Fitted, double HeldOut) Before,
    (double Fitted, double HeldOut) After, long Evaluations, double Seconds);
