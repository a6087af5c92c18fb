using System.Text.Json;
using FewStep.Denoising;

namespace FewStep.Tests.Solvers;

/// <summary>Runs of zju-pi/diff-sampler (gits-main) on exact mixture denoisers, in float64.</summary>
internal sealed record SolverGolden(string Source, SolverGolden.Case[] Cases)
{
    public static SolverGolden Read()
        => JsonFile.Read<SolverGolden>(Path.Combine(AppContext.BaseDirectory, "golden", "solvers", "solver-golden.json"));

    internal sealed record Case(Mixture Gmm, int[] Shape, double[] Latents, Levels Schedule, Run[] Runs)
    {
        // The reference's weights are normalised to a few units in the last place only.
        public GaussianMixture Data() => new(new ImageShape(Shape[1], Shape[2], Shape[3]), Gmm.Weights, Gmm.Means, Gmm.Stds);
    }

    internal sealed record Mixture(double[] Weights, double[][] Means, double[] Stds);

    internal sealed record Levels(string Kind, double Rho, int Steps, double[] Sigmas);

    internal sealed record Run(string Solver, Dictionary<string, JsonElement> Options, int Nfe, double[] Samples)
    {
        /// <summary>The solver in our words.</summary>
        public string Text()
        {
            string text = Solver;
            text += Options.TryGetValue("max_order", out var order) ? $":{order.GetInt32()}" : "";
            text += Options.TryGetValue("r", out var ratio) ? FormattableString.Invariant($":r={ratio.GetDouble():R}") : "";
            text += Options.TryGetValue("predict_x0", out var data) ? $":predict={(data.GetBoolean() ? "data" : "noise")}" : "";
            text += Options.TryGetValue(
                "lower_order_final", out var final) ? $":lower_order_final={(final.GetBoolean() ? "true" : "false")}" : "";
            text += Options.TryGetValue("variant", out var variant) ? $":variant={variant.GetString()}" : "";
            return text;
        }

        public bool DenoisesToZero => Options.TryGetValue("denoise_to_zero", out var value) && value.GetBoolean();

        public bool HasAnalyticalFirstStep => Options.TryGetValue("afs", out var value) && value.GetBoolean();

        /// <summary>The reference's integrals of DEIS are sums over 10,000 points.</summary>
        public double Tolerance => Solver == "deis" ? 1e-6 : 1e-10;

        public override string ToString() => $"{Solver} {JsonSerializer.Serialize(Options)}";
    }
}
