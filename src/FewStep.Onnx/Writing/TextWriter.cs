using FewStep.Networks;
using FewStep.Onnx.Proto;
using FewStep.Text;
using Google.Protobuf;

namespace FewStep.Onnx.Writing;

/// <summary>CLIP's text encoder: <c>input_ids</c> to <c>last_hidden_state</c>, the state before every layer and after the last
/// (<c>hidden_states.0</c>, ...), and what is pooled: <c>text_embeds</c> with a projection, <c>pooler_output</c> without.</summary>
internal sealed class ClipTextPart(string folder, TextEncoder encoder, ClipTextOptions options)
    : PipelineNetwork(folder, encoder.Network.Layout, encoder.FlatWeights)
{
    private const string Input = "input_ids", Last = "last_hidden_state", States = "hidden_states.";

    private string Pooled => encoder.Projects ? "text_embeds" : "pooler_output";

    public override IReadOnlyList<(string Name, Tensor Value)> Trial()
    {
        var ids = Ids(options.VocabSize);
        if (options.End is int end)
            ids = cat([ids.narrow(1, 0, TriedTokens - 1), TensorArithmetic.Full([Tried, 1], end, ScalarType.Int64, CPU)], 1);
        return [(Input, encoder.Projects ? ids : ids.to(ScalarType.Int32))]; // what other programs give the one and the other
    }

    public override void Write(OnnxGraph graph)
    {
        var type = encoder.Projects ? TensorProto.Types.DataType.Int64 : TensorProto.Types.DataType.Int32;
        string ids = graph.Input(Input, type, Batch, Length);
        var (states, last, pooled) = new ClipTextWriter(graph.Nodes, Layout, Weights, options).Write(ids, encoder.Projects);
        if (encoder.Projects) // programs take the first output for what is pooled where there is a projection
            graph.Output(Pooled, pooled, Batch, options.ProjectionDim);
        graph.Output(Last, last, Batch, Length, options.HiddenSize);
        if (!encoder.Projects)
            graph.Output(Pooled, pooled, Batch, options.HiddenSize);
        foreach (var (layer, state) in states.Index())
            graph.Output($"{States}{layer}", state, Batch, Length, options.HiddenSize);
    }

    public override IReadOnlyList<(string Name, Tensor Value)> Evaluate(ForwardPass pass, IReadOnlyDictionary<string, Tensor> given)
    {
        var ids = given[Input].to(ScalarType.Int64);
        var (last, before) = (encoder.Network.Forward(pass, ids, null, TextLayer.Last),
            encoder.Network.Forward(pass, ids, null, TextLayer.Penultimate));
        return [(Last, last.Hidden), (Pooled, last.Pooled!), ($"{States}{options.NumHiddenLayers - 1}", before.Hidden)];
    }
}

/// <summary>T5's encoder: <c>input_ids</c> to <c>last_hidden_state</c>.</summary>
internal sealed class T5Part(string folder, TextEncoder encoder, T5Options options)
    : PipelineNetwork(folder, encoder.Network.Layout, encoder.FlatWeights)
{
    private const string Input = "input_ids", Last = "last_hidden_state";

    public override IReadOnlyList<(string Name, Tensor Value)> Trial() => [(Input, Ids(options.VocabSize))];

    public override void Write(OnnxGraph graph)
    {
        string ids = graph.Input(Input, TensorProto.Types.DataType.Int64, Batch, Length);
        string made = new T5Writer(graph.Nodes, (T5Network)encoder.Network, Weights, options).Write(ids);
        graph.Output(Last, made, Batch, Length, options.DModel);
    }

    public override IReadOnlyList<(string Name, Tensor Value)> Evaluate(ForwardPass pass, IReadOnlyDictionary<string, Tensor> given)
        => [(Last, encoder.Network.Forward(pass, given[Input], null, TextLayer.Last).Hidden)];
}

/// <summary>Writes the modules of text encoders, which are known by their names.</summary>
internal abstract class TextWriter(OnnxNodes nodes, ParameterLayout layout, Tensor weights) : TokenWriter(nodes, layout, weights)
{
    private readonly Dictionary<string, int> _places = layout.Specs.Index().ToDictionary(s => s.Item.Name, s => s.Index);

    protected string Named(string name) => Weight(_places[name]);

    /// <summary>A linear layer of tokens, with a bias where it has one.</summary>
    protected string Layer(string name, string x)
        => Product(_places[$"{name}.weight"], _places.TryGetValue($"{name}.bias", out int bias) ? bias : null, x);

    /// <summary>Number of a text's tokens [B,L], int64 [1].</summary>
    protected string Count(string ids) => Nodes.Op("Gather", [Nodes.Op("Shape", [ids]), Nodes.Integers(1)]);

    protected string Embeddings(string name, string ids) => Nodes.Op("Gather", [Named(name), ids]);
}

/// <summary>Writes CLIP's text encoder.</summary>
internal sealed class ClipTextWriter(OnnxNodes nodes, ParameterLayout layout, Tensor weights, ClipTextOptions options)
    : TextWriter(nodes, layout, weights)
{
    private const double Never = -1e9, QuickGelu = 1.702;

    /// <summary>Names of all states [B,L,D], the last of which is also given normalised, and of what is pooled [B,P].</summary>
    public (IReadOnlyList<string> States, string Last, string Pooled) Write(string ids, bool projects)
    {
        string count = Count(ids);
        string places = Nodes.Op("Slice",
            [Named("text_model.embeddings.position_embedding.weight"), Nodes.Integers(0), count, Nodes.Integers(0)]);
        string x = Nodes.Plus(Embeddings("text_model.embeddings.token_embedding.weight", ids), places);
        string mask = Later(count);
        List<string> states = [x];
        for (int i = 0; i < options.NumHiddenLayers; i++)
            states.Add(x = Layer($"text_model.encoder.layers.{i}", x, mask));
        string last = Normal("text_model.final_layer_norm", x), pooled = AtEnd(last, ids);
        return (states, last, projects ? Layer("text_projection", pooled) : pooled);
    }

    private string Layer(string name, string x, string mask)
    {
        string y = Normal($"{name}.layer_norm1", x);
        string Part(string part) => Heads(Layer($"{name}.self_attn.{part}", y), options.NumAttentionHeads);
        double scale = Math.Sqrt((double)options.NumAttentionHeads / options.HiddenSize);
        string attended = Attend(Part("q_proj"), Part("k_proj"), Part("v_proj"), scale, mask);
        x = Nodes.Plus(x, Layer($"{name}.self_attn.out_proj", attended));
        y = Layer($"{name}.mlp.fc1", Normal($"{name}.layer_norm2", x));
        y = options.HiddenAct == "quick_gelu" ? Nodes.Times(y, Nodes.Op("Sigmoid", [Nodes.Times(y, QuickGelu)])) : Gelu(y);
        return Nodes.Plus(x, Layer($"{name}.mlp.fc2", y));
    }

    private string Normal(string name, string x) => Nodes.Op("LayerNormalization", [x, Named($"{name}.weight"), Named($"{name}.bias")],
        OnnxNodes.Of("axis", -1), OnnxNodes.Of("epsilon", options.LayerNormEps));

    // A token sees none of those after it.
    private string Later(string count)
    {
        var never = new TensorProto
        { DataType = (int)TensorProto.Types.DataType.Float, RawData = ByteString.CopyFrom(BitConverter.GetBytes((float)Never)) };
        never.Dims.Add(1);
        string all = Nodes.Op("ConstantOfShape", [Nodes.Concat(0, count, count)], OnnxNodes.Of("value", never));
        return Nodes.Op("Trilu", [all, Nodes.Integer(1)]);
    }

    // The row at the first end of each text.
    private string AtEnd(string last, string ids)
    {
        string ends = options.End is not int end ? ids : Nodes.Cast(
            Nodes.Op("Equal", [Nodes.Cast(ids, TensorProto.Types.DataType.Int64), Nodes.Integers(end)]), TensorProto.Types.DataType.Int32);
        string place = Nodes.Op("ArgMax", [ends], OnnxNodes.Of("axis", 1), OnnxNodes.Of("keepdims", 1));
        return Nodes.Op("GatherND", [last, place], OnnxNodes.Of("batch_dims", 1));
    }
}

/// <summary>Writes T5's encoder.</summary>
internal sealed class T5Writer(OnnxNodes nodes, T5Network network, Tensor weights, T5Options options)
    : TextWriter(nodes, network.Layout, weights)
{
    private const string RelativeBias = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";
    private const int LongestDistance = 4096;

    /// <summary>What the encoder makes of token ids [B,L].</summary>
    /// <returns>Name of the value [B,L,D].</returns>
    public string Write(string ids)
    {
        string x = Embeddings("shared.weight", ids), bias = Bias(Count(ids));
        for (int i = 0; i < options.NumLayers; i++)
            x = Layer($"encoder.block.{i}", x, bias);
        return Normal("encoder.final_layer_norm", x);
    }

    private string Layer(string name, string x, string bias)
    {
        string own = $"{name}.layer.0", wide = $"{name}.layer.1", y = Normal($"{own}.layer_norm", x);
        string Part(string part) => Heads(Layer($"{own}.SelfAttention.{part}", y), options.NumHeads);
        string attended = Attend(Part("q"), Part("k"), Part("v"), 1, bias);
        x = Nodes.Plus(x, Layer($"{own}.SelfAttention.o", attended));
        y = Normal($"{wide}.layer_norm", x);
        string gate = ApproximateGelu(Layer($"{wide}.DenseReluDense.wi_0", y));
        return Nodes.Plus(x, Layer($"{wide}.DenseReluDense.wo", Nodes.Times(gate, Layer($"{wide}.DenseReluDense.wi_1", y))));
    }

    private string Normal(string name, string x) => RootMeanSquare(x, options.LayerNormEpsilon, Named($"{name}.weight"));

    // [1,heads,L,L]: by the distance of two tokens, all far ones alike.
    private string Bias(string count)
    {
        int most = options.RelativeAttentionMaxDistance;
        if (most > LongestDistance)
        {
            throw new InvalidInputException(
                $"A T5 encoder with relative_attention_max_distance {most} cannot be written as ONNX; up to {LongestDistance} can.");
        }

        string end = Nodes.Op("Squeeze", [count]);
        string places = Nodes.Op("Range", [Nodes.Integer(0), end, Nodes.Integer(1)]);
        string Unsqueezed(long axis) => Nodes.Op("Unsqueeze", [places, Nodes.Integers(axis)]);
        string relative = Nodes.Minus(Unsqueezed(0), Unsqueezed(1));
        string near = Nodes.Plus(Nodes.Op("Clip", [relative, Nodes.Integer(-most), Nodes.Integer(most)]), Nodes.Integer(most));
        string rows = Nodes.Op("Gather", [Named(RelativeBias), Nodes.Op("Gather", [Nodes.Integers(Buckets(most)), near])]);
        return Nodes.Op("Unsqueeze", [Nodes.Transpose(rows, 2, 0, 1), Nodes.Integers(0)]);
    }

    // Of the distances from -most to most.
    private long[] Buckets(int most)
    {
        using var scope = NewDisposeScope();
        var all = network.Buckets(most + 1, CPU); // [i,j]: of j - i
        long[] after = all.select(0, 0).contiguous().data<long>().ToArray(), before = all.select(1, 0).contiguous().data<long>().ToArray();
        return [.. before.Skip(1).Reverse(), .. after];
    }
}
