using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Onnx.Proto;

namespace FewStep.Onnx.Writing;

/// <summary>Names of a preconditioning's coefficients in a graph: the factors [B,1,1,1] and noise labels [B], or [1,...] for one level of
/// all.</summary>
internal sealed record WrittenCoefficients(string Skip, string Out, string In, string Noise);

/// <summary>Writes a preconditioning's coefficients for noise levels that the graph is given, as
/// <see cref="IPreconditioning.Coefficients"/> computes them; and as constants for one that is known.</summary>
internal static class PreconditioningWriter
{
    /// <summary>The coefficients at a noise level that is known, in float32 as a sampler has them.</summary>
    public static WrittenCoefficients Constants(OnnxNodes nodes, IPreconditioning preconditioning, double sigma)
    {
        using var scope = NewDisposeScope();
        var c = preconditioning.Coefficients(TensorArithmetic.Full([1], sigma, ScalarType.Float32, CPU));
        string Value(Tensor coefficient, params long[] shape) => nodes.Floats([coefficient.item<float>()], shape);
        return new(Value(c.Skip, 1, 1, 1, 1), Value(c.Out, 1, 1, 1, 1), Value(c.In, 1, 1, 1, 1), Value(c.Noise, 1));
    }

    /// <param name="sigma">Name of the noise levels, float32 [B].</param>
    public static WrittenCoefficients Nodes(OnnxNodes nodes, IPreconditioning preconditioning, string sigma)
    {
        string One() => nodes.Op("Div", [sigma, sigma]);
        string Negative(string x) => nodes.Op("Neg", [x]);
        string Inverse(string x) => nodes.Op("Reciprocal", [x]);
        string Root(string x) => nodes.Op("Sqrt", [x]);
        string Squared(string x, double plus) => nodes.Plus(nodes.Times(x, x), nodes.Number(plus));
        var (skip, factor, input, noise) = preconditioning switch
        {
            EdmPreconditioning edm => Edm(edm),
            VpPreconditioning vp => (One(), Negative(sigma), Inverse(Root(Squared(sigma, 1))), Time(nodes, vp, sigma)),
            VePreconditioning => (One(), sigma, One(), nodes.Op("Log", [nodes.Times(sigma, 0.5)])),
            DiscreteVpPreconditioning discrete => Discrete(discrete),
            FlowPreconditioning flow => Flow(flow),
            _ => throw new InvalidInputException(
                $"A preconditioning of the kind {preconditioning.GetType().Name} cannot be written as ONNX."),
        };
        string Column(string x) => nodes.Reshape(x, -1, 1, 1, 1);
        return new(Column(skip), Column(factor), Column(input), noise);

        (string Skip, string Out, string In, string Noise) Edm(EdmPreconditioning edm)
        {
            double sd2 = edm.SigmaData * edm.SigmaData;
            string above = edm.Boundary == 0 ? sigma : nodes.Minus(sigma, nodes.Number(edm.Boundary));
            string root = Root(Squared(sigma, sd2));
            string gained = nodes.Times(above, edm.PredictsV ? -edm.SigmaData : edm.SigmaData);
            return (nodes.Times(Inverse(Squared(above, sd2)), sd2), nodes.Op("Div", [gained, root]), Inverse(root),
                nodes.Times(nodes.Op("Log", [sigma]), edm.NoiseLabelScale / 4));
        }

        (string Skip, string Out, string In, string Noise) Discrete(DiscreteVpPreconditioning discrete)
        {
            string total = Squared(sigma, 1), alpha = Inverse(Root(total));
            var (own, gain) = discrete.Prediction switch
            {
                NetworkPrediction.Epsilon => (One(), Negative(sigma)),
                NetworkPrediction.V => (Inverse(total), Negative(nodes.Times(sigma, alpha))),
                _ => (nodes.Minus(sigma, sigma), One()),
            };
            string time = Time(nodes, discrete, sigma);
            if (discrete.BoundaryScale is { } scale)
            {
                const double sd2 = DiscreteVpPreconditioning.BoundarySigmaData * DiscreteVpPreconditioning.BoundarySigmaData;
                string scaled = nodes.Times(time, scale), square = Squared(scaled, sd2), factor = nodes.Op("Div", [scaled, Root(square)]);
                own = nodes.Plus(nodes.Times(factor, own), nodes.Times(nodes.Times(Inverse(square), sd2), alpha));
                gain = nodes.Times(factor, gain);
            }

            return (own, gain, alpha, nodes.Times(time, discrete.TimeScale));
        }

        (string Skip, string Out, string In, string Noise) Flow(FlowPreconditioning flow)
        {
            string scale = Inverse(nodes.Plus(sigma, nodes.Number(1))), t = nodes.Times(sigma, scale);
            return flow.IsFromNoise ? (scale, t, scale, nodes.Times(scale, flow.TimeScale))
                : (scale, Negative(t), scale, nodes.Times(t, flow.TimeScale));
        }
    }

    // In float64, since ONNX has no log1p: ln(1 + sigma^2) of small levels keeps few digits in float32.
    private static string Time(OnnxNodes nodes, VpPreconditioning vp, string sigma)
    {
        double slope = vp.Noise.BetaD, first = vp.Noise.BetaMin;
        string Number(double value) => nodes.Doubles([value]);
        string wide = nodes.Cast(sigma, TensorProto.Types.DataType.Double);
        string logarithm = nodes.Op("Log", [nodes.Plus(nodes.Times(wide, wide), Number(1))]);
        string root = nodes.Op("Sqrt", [nodes.Plus(nodes.Times(logarithm, Number(2 * slope)), Number(first * first))]);
        string time = nodes.Times(nodes.Minus(root, Number(first)), Number((vp.TimeSteps - 1) / slope));
        return nodes.Cast(time, TensorProto.Types.DataType.Float);
    }

    // The time is the number of thresholds below sigma; between two levels it goes on linearly in ln sigma.
    private static string Time(OnnxNodes nodes, DiscreteVpPreconditioning discrete, string sigma)
    {
        double[] levels = [.. discrete.Noise.Sigmas];
        string Count(double[] thresholds) => nodes.Op(
            "ReduceSum",
            [
                nodes.Cast(nodes.Op("Less", [nodes.Floats(thresholds, 1, thresholds.Length), nodes.Reshape(sigma, -1, 1)]),
                    TensorProto.Types.DataType.Float),
                nodes.Integers(1),
            ],
            OnnxNodes.Of("keepdims", 0));
        if (discrete.Rounding != TimeRounding.Between)
        {
            // sigma above the middle is the upper level's; rounded down, float32 compares as exactly as float64.
            return Count([.. levels.Zip(levels.Skip(1), (low, high) =>
                RoundedDown(discrete.Rounding == TimeRounding.NearestSigma ? low + ((high - low) / 2) : Math.Sqrt(low * high)))]);
        }

        double[] logarithms = [.. levels.Select(level => Math.Log(level))];
        string index = nodes.Cast(Count([.. levels[1..^1].Select(RoundedDown)]), TensorProto.Types.DataType.Int64);
        string wide = nodes.Op("Log", [nodes.Cast(sigma, TensorProto.Types.DataType.Double)]);
        string low = nodes.Op("Gather", [nodes.Doubles(logarithms, logarithms.Length), index]);
        double[] steps = [.. logarithms.Zip(logarithms.Skip(1), (a, b) => 1 / (b - a))];
        string part = nodes.Times(nodes.Minus(wide, low), nodes.Op("Gather", [nodes.Doubles(steps, steps.Length), index]));
        string time = nodes.Plus(nodes.Cast(index, TensorProto.Types.DataType.Double), part);
        string limited = nodes.Op("Clip", [time, nodes.Doubles([0]), nodes.Doubles([levels.Length - 1])]);
        return nodes.Cast(limited, TensorProto.Types.DataType.Float);
    }

    private static double RoundedDown(double value) => (float)value <= value ? (float)value : MathF.BitDecrement((float)value);
}
