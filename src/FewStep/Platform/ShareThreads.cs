using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace FewStep.Platform;

/// <summary>Threads that each compute a share of a batch on the processor.</summary>
/// <remarks>
/// libtorch's own threads divide a single operation and wait for each other at its end, hundreds of times in an evaluation of a small
/// network; shares of a batch meet once. The caller's tensor threads (<c>torch.set_num_threads</c>) are divided among the shares. Dispose
/// scopes and gradient modes are a thread's own, so each share has to open them for itself.
/// </remarks>
internal static class ShareThreads
{
    private static readonly ConcurrentBag<Worker> Idle = [];

    /// <summary>Computes all shares, each on a thread of its own, and waits for them.</summary>
    public static void Run(int shares, Action<int> body)
    {
        int threads = get_num_threads(), each = Math.Max(1, threads / shares);
        var workers = new Worker[shares];
        bool changed = false;
        for (int i = 0; i < shares; i++)
        {
            workers[i] = Idle.TryTake(out var idle) ? idle : new Worker();
            changed |= workers[i].SetThreads(each);
        }

        if (changed)
            set_num_threads(threads); // a thread's own number becomes that of all threads to come

        var failures = new Exception?[shares];
        var left = new CountdownEvent(shares);
        for (int i = 0; i < shares; i++)
        {
            int share = i;
            workers[i].Start(() =>
            {
                try
                {
                    body(share);
                }
#pragma warning disable CA1031 // thrown again on the caller's thread
                catch (Exception e)
#pragma warning restore CA1031
                {
                    failures[share] = e;
                }
                finally
                {
                    Idle.Add(workers[share]);
                    left.Signal();
                }
            });
        }

        left.Wait();
        if (failures.FirstOrDefault(f => f is not null) is { } failure)
            ExceptionDispatchInfo.Throw(failure);
    }

    private sealed class Worker
    {
        private readonly BlockingCollection<Action> _work = [];
        private int _threads;

        public Worker() => new Thread(Loop) { IsBackground = true, Name = "batch share" }.Start();

        public void Start(Action work) => _work.Add(work);

        /// <summary>Sets the tensor threads of the work to come, and says whether it had to.</summary>
        public bool SetThreads(int threads)
        {
            if (_threads == threads)
                return false;
            var set = new ManualResetEventSlim();
            Start(() =>
            {
                TorchLibrary.SetOwnThreads(threads);
                set.Set();
            });
            set.Wait();
            _threads = threads;
            return true;
        }

        private void Loop()
        {
            foreach (var work in _work.GetConsumingEnumerable())
                work();
        }
    }
}
