using FewStep.Checkpoints;

namespace FewStep.Tests.Checkpoints;

public sealed class EdmPickleTests : FolderTests
{
    [Fact]
    public void Classes_options_and_names_of_a_network_are_read()
    {
        using EdmCheckpoint checkpoint = EdmPickle.Read(Golden("edm-ncsnpp-cond"));
        EdmModule network = checkpoint.Network;
        Assert.Equal("EDMPrecond", network.ClassName);
        Assert.Equal("SongUNet", network.InitArguments.Text("model_type"));
        Assert.Equal(16, network.InitArguments.Integer("img_resolution"));
        Assert.Equal(0.5, network.Attributes.Number("sigma_data"));
        Assert.Equal(double.PositiveInfinity, network.Attributes.Number("sigma_max"));
        Assert.Contains("use_fp16", network.Attributes.Names);
        EdmModule model = network.Child("model")!;
        Assert.Equal([1, 2], model.InitArguments.Integers("channel_mult")!);
        Assert.Equal([1, 3, 3, 1], model.InitArguments.Integers("resample_filter")!);
        Assert.Equal("residual", model.InitArguments.Text("encoder_type"));
        Assert.Null(model.InitArguments.Integer("augment_dim"));
        Assert.Equal("16x16_conv", model.Child("enc")!.Children[0].Name);
        Assert.Equal([16], checkpoint.State["model.map_noise.freqs"].shape);
        Assert.Equal([32, 4], checkpoint.State["model.map_label.weight"].shape);
        Assert.Equal([16, 1, 3, 3], checkpoint.State["model.enc.16x16_conv.weight"].shape);
        Assert.All(checkpoint.State.Values, tensor => Assert.True(tensor.isfinite().all().item<bool>()));
        Refused.With("img_resolution is not a short text", () => network.InitArguments.Text("img_resolution"));
    }

    [Fact]
    public void NumPy_numbers_outlive_the_file()
    {
        using EdmCheckpoint checkpoint = EdmPickle.Read(Golden("edm-adm-cond"));
        EdmModule layer = checkpoint.Network.Child("model")!.Child("map_layer0")!;
        Assert.Equal(Math.Sqrt(1.0 / 3), layer.InitArguments.Number("init_weight")!.Value, 15);
    }

    [Fact]
    public void A_cut_or_changed_file_is_refused_or_read_but_never_fails_otherwise()
    {
        byte[] whole = File.ReadAllBytes(Golden("ve-ncsnpp-uncond"));
        var random = new Random(3);
        for (int i = 0; i < 30; i++)
        {
            byte[] bad = [.. whole];
            for (int k = 0; k < 20; k++)
                bad[random.Next(bad.Length)] = (byte)random.Next(256);
            string path = _folder.Write("bad.pkl", bad);
            Refused.With("", () => EdmPickle.Read(_folder.Write("cut.pkl", bad.AsSpan(0, random.Next(bad.Length)))));
            try
            {
                EdmPickle.Read(path).Dispose();
            }
            catch (InvalidInputException e)
            {
                Assert.DoesNotContain(e.Message, char.IsControl);
            }
        }
    }

    [Fact]
    public void Other_pickles_are_refused()
    {
        Refused.With("'os.system'", () => EdmPickle.Read(
            _folder.Write("a.pkl", new PickleBuilder().Op("}").Text("ema").Global("os", "system").Text("x").Raw(0x85).Op("Rs.").Bytes)));
        Refused.With("no network 'ema'", () => EdmPickle.Read(_folder.Write("b.pkl", new PickleBuilder().Op("}.").Bytes)));
        Refused.With(
            "without class", () => EdmPickle.Read(_folder.Write("c.pkl", new PickleBuilder().Op("}").Text("ema").Op("K\u0001s.").Bytes)));
        Refused.With("Cannot read", () => EdmPickle.Read(_folder.File("missing.pkl")));
    }

    [Fact]
    public void A_module_that_contains_itself_is_refused()
    {
        // m0 = {class_name, state: {_modules: {a: m0, b: m0}}}
        byte[] cyclic = new PickleBuilder().Op("}").Text("ema").Global(
            "torch_utils.persistence", "_reconstruct_persistent_obj").Op("}q\0(").Text("class_name").Text("X")
            .Text("state").Op("}q\u0001u").Raw(0x85).Op("Rq\u0002").Op("h\u0001").Text("_modules").Op("}(").Text("a").Op("h\u0002").Text(
                "b").Op("h\u0002us0s.").Bytes;
        Refused.With("without end", () => EdmPickle.Read(_folder.Write("cycle.pkl", cyclic)));
    }

    [Fact]
    public void Modules_recalled_at_many_places_are_refused()
    {
        // Each level holds the level below twice: 2^25 modules in a few hundred bytes.
        var builder = new PickleBuilder(4).Op("}").Text("ema");
        Level(builder, 25);
        Refused.With("without end", () => EdmPickle.Read(_folder.Write("laughs.pkl", builder.Op("s.").Bytes)));

        static void Level(PickleBuilder builder, int depth)
        {
            builder.Global("torch_utils.persistence", "_reconstruct_persistent_obj").Op("}(").Text("class_name").Text("X").Text("state")
                .Op("}");
            if (depth > 0)
            {
                builder.Text("_modules").Op("}").Text("a");
                Level(builder, depth - 1);
                builder.Op("q").Raw((byte)depth).Op("s").Text("b").Op("h").Raw((byte)depth).Op("ss");
            }

            builder.Op("u").Raw(0x85).Op("R");
        }
    }

    [Fact]
    public void A_tensor_recalled_at_many_places_costs_each_time()
    {
        // One tensor of 4 KB, under 100 names of one byte each in three bytes each.
        byte[] inner =
        [
            .. new PickleBuilder().Raw(0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19).Op(".").Bytes,
            .. new PickleBuilder().Number(1001).Op(".").Bytes,
            .. new PickleBuilder().Op("}").Text("little_endian").Raw(0x88).Op("s.").Bytes,
            .. new PickleBuilder().Op("(").Text("storage").Global("torch", "FloatStorage").Text("0").Text("cpu").Number(1024).Op(
                "NtQ.").Bytes,
            .. new PickleBuilder().Op("]").Text("0").Op("a.").Bytes,
            .. BitConverter.GetBytes(1024L),
            .. new byte[4096],
        ];
        Assert.Equal(2, Count(2));
        Refused.With("need more memory", () => Count(100));

        int Count(int names)
        {
            var pickle = new PickleBuilder(4).Op("}").Text("ema").Global("torch_utils.persistence", "_reconstruct_persistent_obj").Op("}(")
                .Text("class_name").Text("X").Text("state").Op("}").Text("_parameters").Op("}(");
            pickle.Text("a0").Global("torch._utils", "_rebuild_tensor_v2").Op("(").Global("torch.storage", "_load_from_bytes")
                .ByteString(inner).Raw(0x85).Op("R").Number(0).Tuple(1024).Tuple(1)
                .Raw(0x89).Global("collections", "OrderedDict").Op(")RtRq\0");
            for (int i = 1; i < names; i++)
                pickle.Text($"a{i}").Op("h\0");
            using EdmCheckpoint checkpoint = EdmPickle.Read(_folder.Write("shared.pkl", pickle.Op("usu").Raw(0x85).Op("Rs.").Bytes));
            return checkpoint.State.Count;
        }
    }

    private static string Golden(string name) => Path.Combine(AppContext.BaseDirectory, "golden", "checkpoints", name + ".pkl");
}
