// SPDX-License-Identifier: GPL-2.0
/* memstress: kernel memory of every kind, charged to a memcg, on request. */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "internal.h"

static int ms_open(struct inode *inode, struct file *file)
{
	struct ms_session *session = ms_session_create();

	if (IS_ERR(session))
		return PTR_ERR(session);
	file->private_data = session;
	return 0;
}

/* Close, exit and SIGKILL all end here, when nobody uses the file any more. */
static int ms_release(struct inode *inode, struct file *file)
{
	ms_session_destroy(file->private_data);
	return 0;
}

static const struct file_operations ms_fops = {
	.owner = THIS_MODULE,
	.open = ms_open,
	.release = ms_release,
	.unlocked_ioctl = ms_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = ms_mmap,
	.llseek = noop_llseek,
};

static struct miscdevice ms_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "memstress",
	.fops = &ms_fops,
	.mode = 0600,
};

static int __init ms_init(void)
{
	int ret;

	ms_limits_init();
	ret = ms_context_init();
	if (ret)
		return ret;
	ret = ms_session_init();
	if (ret)
		goto err_context_exit;
	ret = ms_netlink_init();
	if (ret)
		goto err_session_exit;
	ret = ms_event_init();
	if (ret)
		goto err_netlink_exit;
	ms_victim_init();
	ret = ms_relief_init();
	if (ret)
		goto err_victim_exit;
	ret = misc_register(&ms_device);
	if (ret)
		goto err_relief_exit;
	return 0;

err_relief_exit:
	ms_relief_exit();
err_victim_exit:
	ms_victim_exit();
	ms_event_exit();
err_netlink_exit:
	ms_netlink_exit();
err_session_exit:
	ms_session_exit();
err_context_exit:
	ms_context_exit();
	return ret;
}

static void __exit ms_exit(void)
{
	misc_deregister(&ms_device);
	ms_relief_exit();
	ms_victim_exit();
	ms_event_exit();
	ms_netlink_exit();
	ms_rcu_exit();
	ms_kind_exit();
	ms_session_exit();
	ms_context_exit();
}

module_init(ms_init);
module_exit(ms_exit);

MODULE_DESCRIPTION("Charge kernel memory of every kind to a memcg, exactly");
MODULE_AUTHOR("The memstress authors");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
/* Sets TAINT_TEST where the kernel knows it: this is no module for production. */
MODULE_INFO(test, "Y");
