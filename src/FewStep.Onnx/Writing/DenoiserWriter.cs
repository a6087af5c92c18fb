using FewStep.Denoising;
using FewStep.Networks;
using FewStep.Onnx.Proto;

namespace FewStep.Onnx.Writing;

/// <summary>Writes evaluations of a denoiser, guided or not, into a graph.</summary>
/// <param name="repeats">Whether there are several: the network then is a function of the model's, which is written once and
/// called.</param>
internal sealed class DenoiserWriter(OnnxGraph model, IDenoiser denoiser, bool repeats)
{
    private const string Domain = "fewstep";
    private readonly OnnxNodes _nodes = model.Nodes;
    private readonly List<(NetworkDenoiser Network, FunctionProto Function)> _functions = [];

    /// <summary>The networks that a denoiser evaluates: itself, and its guide's where that is another.</summary>
    /// <exception cref="InvalidInputException">It is made of something else.</exception>
    public static IReadOnlyList<NetworkDenoiser> NetworksOf(IDenoiser denoiser) => denoiser switch
    {
        NetworkDenoiser network => [network],
        GuidedDenoiser guided => [.. NetworksOf(guided.Model.Inner).Concat(NetworksOf(guided.GuideModel.Inner)).Distinct()],
        _ => throw new InvalidInputException("Only networks can be written as ONNX, and this model, or its guide, is none."),
    };

    /// <summary>Evaluations of a network that one image costs at a noise level.</summary>
    /// <param name="sigma">The level; null for one that is not known, where guidance is always computed.</param>
    public static int Cost(IDenoiser denoiser, double? sigma) => ActiveGuidance(denoiser, sigma) is null ? 1 : 2;

    /// <summary>Writes an evaluation at a noise level that is known.</summary>
    /// <param name="x">Noised images [B,C,H,W].</param>
    /// <param name="labels">int64 [B]; null without classes.</param>
    /// <returns>Name of the denoised images.</returns>
    public string At(double sigma, string x, string? labels) => Write(
        x, labels, sigma, network => PreconditioningWriter.Constants(_nodes, network.Preconditioning, sigma), null);

    /// <summary>Writes an evaluation at noise levels that the graph is given.</summary>
    /// <param name="sigma">float32 [B].</param>
    public string At(string sigma, string x, string? labels) => Write(
        x, labels, null, network => PreconditioningWriter.Nodes(_nodes, network.Preconditioning, sigma), sigma);

    private static GuidedDenoiser? ActiveGuidance(IDenoiser denoiser, double? sigma)
        => denoiser is GuidedDenoiser { Guidance: { Weight: not 1 } guidance } guided
            && (sigma is not double level || (level > guidance.SigmaLow && level <= guidance.SigmaHigh)) ? guided : null;

    private string Write(string x, string? labels, double? level, Func<NetworkDenoiser, WrittenCoefficients> at, string? sigma)
    {
        var main = NetworksOf(denoiser)[0];
        var c = at(main);
        string scaled = _nodes.Times(x, c.In);
        if (ActiveGuidance(denoiser, level) is not { } guided)
            return Preconditioned(x, c, Raw(main, scaled, c.Noise, labels));
        string? acts = sigma is null ? null : Acts(guided.Guidance, sigma);
        double push = guided.Guidance.Weight - 1;
        if (guided.GuideSeesLabels)
        {
            var guide = NetworksOf(guided.GuideModel.Inner)[0];
            var own = at(guide);
            string denoised = Preconditioned(x, c, Raw(main, scaled, c.Noise, labels));
            return Pushed(denoised, Preconditioned(x, own, Raw(guide, _nodes.Times(x, own.In), own.Noise, labels)), push, acts);
        }

        // With and without labels in one batch, twice as large.
        string noise = sigma is null ? c.Noise : _nodes.Concat(0, c.Noise, c.Noise);
        var none = new TensorProto { DataType = (int)TensorProto.Types.DataType.Int64, RawData = NoClass(main) };
        none.Dims.Add(1);
        string unlabelled = _nodes.Op("ConstantOfShape", [_nodes.Op("Shape", [labels!])], OnnxNodes.Of("value", none));
        string both = Raw(main, _nodes.Concat(0, scaled, scaled), noise, _nodes.Concat(0, labels!, unlabelled));
        string[] halves = _nodes.Split(both, 2, axis: 0);
        return Preconditioned(x, c, Pushed(halves[0], halves[1], push, acts));
    }

    // D + (w - 1) (D - D_guide), where guidance acts.
    private string Pushed(string own, string guide, double push, string? acts)
    {
        string difference = _nodes.Times(_nodes.Minus(own, guide), push);
        return _nodes.Plus(own, acts is null ? difference : _nodes.Times(difference, acts));
    }

    private string? Acts(Guidance guidance, string sigma)
    {
        if (guidance.ActsEverywhere)
            return null;
        string inside = _nodes.Op("Greater", [sigma, _nodes.Number(guidance.SigmaLow)]);
        if (double.IsFinite(guidance.SigmaHigh))
            inside = _nodes.Op("And", [inside, _nodes.Op("LessOrEqual", [sigma, _nodes.Number(guidance.SigmaHigh)])]);
        return _nodes.Reshape(_nodes.Cast(inside, TensorProto.Types.DataType.Float), -1, 1, 1, 1);
    }

    private string Preconditioned(string x, WrittenCoefficients c, string raw)
        => _nodes.Plus(_nodes.Times(x, c.Skip), _nodes.Times(raw, c.Out));

    private string Raw(NetworkDenoiser network, string x, string noise, string? labels)
    {
        string? seen = network.Classes > 0 ? labels : null;
        string prefix = ReferenceEquals(network, NetworksOf(denoiser)[0]) ? "" : "guide.";
        if (!repeats)
            return new NetworkWriter(_nodes, network, prefix).Write(x, noise, seen);
        var function = _functions.FirstOrDefault(f => f.Network == network).Function ?? Function(network, prefix, seen is not null);
        string result = _nodes.NewName();
        _nodes.Add(function.Name, [x, noise, .. seen is null ? [] : new[] { seen }, .. function.Input.Skip(seen is null ? 2 : 3)],
            [result], domain: Domain);
        return result;
    }

    // Its inputs are images, noise labels, class labels, and the weights that it uses, under the graph's names for them.
    private FunctionProto Function(NetworkDenoiser network, string prefix, bool labelled)
    {
        if (_functions.Count == 0)
            model.Model.OpsetImport.Add(new OperatorSetIdProto { Domain = Domain, Version = 1 });
        var function = new FunctionProto { Name = $"{prefix.TrimEnd('.')}network", Domain = Domain };
        function.Input.AddRange(["x", "noise"]);
        if (labelled)
            function.Input.Add("labels");
        var body = new OnnxNodes(function.Node, model.Weights, function.Input);
        function.Output.Add(new NetworkWriter(body, network, prefix).Write("x", "noise", labelled ? "labels" : null));
        function.OpsetImport.Add(new OperatorSetIdProto { Version = OnnxGraph.Opset });
        model.Model.Functions.Add(function);
        _functions.Add((network, function));
        return function;
    }

    private static Google.Protobuf.ByteString NoClass(NetworkDenoiser network)
        => Google.Protobuf.ByteString.CopyFrom(BitConverter.GetBytes((long)network.Classes));
}
